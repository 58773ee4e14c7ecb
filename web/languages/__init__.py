"""The languages of the pages: English in the templates, others in a catalogue each.

A catalogue is a JSON file named by its language tag. It maps each English text to its translation,
and a text with a count to its singular and its plural; `""` is the language's own name.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from starlette.requests import HTTPConnection

HERE = Path(__file__).parent

COOKIE = "castline_language"
"""Name of the cookie with the chosen language."""


@dataclass(frozen=True)
class Language:
    """One language of the pages."""

    code: str
    """Language tag (RFC 5646)."""
    name: str
    """What it calls itself."""
    texts: dict[str, str | list[str]] = field(default_factory=dict, repr=False, compare=False)
    """Translations by English text."""

    def gettext(self, text: str) -> str:
        """Return the translation of a text, or the text itself."""
        found = self.texts.get(text, text)
        return found if isinstance(found, str) else found[0]

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """Return the translation of a text with a count."""
        found = self.texts.get(singular, [singular, plural])
        return found if isinstance(found, str) else found[0 if count == 1 else -1]


ENGLISH = Language("en", "English")


@cache
def languages() -> dict[str, Language]:
    """Return all languages by their tags, English first."""
    found = {"en": ENGLISH}
    for path in sorted(HERE.glob("*.json")):
        texts = json.loads(path.read_text(encoding="utf-8"))
        found[path.stem] = Language(path.stem, texts.pop(""), texts)
    return found


def language_of(connection: HTTPConnection) -> Language:
    """Return the language that a person chose, or else the first one that a browser asks for."""
    known = languages()
    accepted = connection.headers.get("accept-language", "")
    wanted = [
        connection.query_params.get("lang", ""),
        connection.cookies.get(COOKIE, ""),
        *(part.partition(";")[0].partition("-")[0].strip() for part in accepted.split(",")),
    ]
    return next((known[code] for code in wanted if code in known), ENGLISH)
