"""Text that came from outside (names, labels, errors), as a terminal or a log may show it."""

import re

_ACTING = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # category Cc: ESC and CSI command terminals, line ends begin a new line
    "\u2028\u2029"  # categories Zl and Zp: other line ends
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates: what follows runs backwards
    "\ud800-\udfff"  # halves of pairs, by which Python writes bytes that are not UTF-8
    "]"
)
"""Characters that act on a terminal rather than show something on it, by the categories and the
bidirectional classes of the Unicode Character Database."""


def visible(text: str) -> str:
    r"""The text on one line, with each acting character as an escape: `\n`, `\x1b`, `\u202e`.

    Nothing else is changed, so that doing it twice is harmless.
    """
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def visible_json(text: str) -> str:
    """A JSON document that means the same, in which no acting character is but its line ends."""
    return _ACTING.sub(lambda found: found[0] if found[0] == "\n" else _escape(found[0]), text)


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}"
