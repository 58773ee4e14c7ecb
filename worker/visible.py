"""Make foreign text (names, labels, errors) safe for a terminal or a log."""

import re

_ACTING = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # category Cc: ESC and CSI control terminals, line ends begin a new line
    "\u2028\u2029"  # categories Zl and Zp: other line ends
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates: later text runs backwards
    "\ud800-\udfff"  # surrogates, by which Python represents bytes that are not UTF-8
    "]"
)
"""Characters that control a terminal instead of being displayed, by the categories and the
bidirectional classes of the Unicode Character Database."""


def visible(text: str) -> str:
    r"""Return the text on one line, control characters as escapes: `\n`, `\x1b`, `\u202e`.

    Nothing else is changed, so the function is idempotent.
    """
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def visible_json(text: str) -> str:
    """Return an equivalent JSON document without control characters except its line ends."""
    return _ACTING.sub(lambda found: found[0] if found[0] == "\n" else _escape(found[0]), text)


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}"
