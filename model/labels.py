"""Labels and names: the one rule that turns a written name into a label."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final
from unicodedata import bidirectional, category, normalize

from model.errors import LabelError

UNKNOWN: Final = "unknown"
"""The label for characters that a classifier does not know."""

LONGEST_LABEL: Final = 64
"""In characters; columns of the database hold this many."""

LONGEST_NAME: Final = 100
"""In characters; more cannot be read in a row of a table or a picture."""

LONGEST_IN_PICTURES: Final = 30
"""In characters; longer ones leave little room for a picture beside them."""

_REMEMBERED: Final = 1000  # names; a file of boxes repeats each on many lines

_FIRST_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""Labels of models from before the rule, which may have hyphens."""

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point of the Unicode Character Database, such as joiners in Persian, or
selectors of letters' shapes: names that look alike have the same label."""

_BIDI_CONTROLS: Final = frozenset(
    ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
)  # of the Unicode Bidirectional Algorithm: they reorder the text around a name, too


def known_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels without `unknown`."""
    return tuple(label for label in labels if label != UNKNOWN)


@lru_cache(_REMEMBERED)
def label_of(name: str) -> str:
    """Return the label of a name: `dr_nick` of `Dr. Nick`, `éd` of `Éd`, `バート` of `バート`.

    Letters and digits of every script are kept, with their combining marks, in one form (NFKC) and
    without case; anything else between them becomes one `_`. The label of a label is itself.

    Returns:
        At most LONGEST_LABEL characters; empty if the name has no letter or digit.
    """
    label = ""
    for sign in _folded(name):
        if sign.isalnum() or (_is_mark(sign) and label and label[-1] != "_"):
            label += sign
        elif label and label[-1] != "_":
            label += "_"
    return label[:LONGEST_LABEL].rstrip("_")


def require_label_of(name: str, where: str) -> str:
    """Return the label of a name that must have one.

    Args:
        name: The name as it was written.
        where: Where it was written, for the message of an error.

    Raises:
        LabelError: The name has no letter or digit.
    """
    label = label_of(name)
    if not label:
        raise LabelError(f"{where}: {name!r} has no letter or digit for a label; give another name")
    return label


def is_label(text: object) -> bool:
    """Tell whether a text can be a label: by the rule, or by that of the first models."""
    return isinstance(text, str) and (
        _FIRST_LABEL.fullmatch(text) is not None or (text != "" and label_of(text) == text)
    )


@lru_cache(_REMEMBERED)
def written_name(name: str) -> str:
    """Return a name for display: on one line, without control characters of any kind."""
    shown = "".join(" " if _acts(sign) else sign for sign in name)
    return " ".join(shown.split())[:LONGEST_NAME].rstrip()


def shortened(name: str) -> str:
    """Return a name, cut off with an ellipsis if it is longer than pictures have room for."""
    if len(name) <= LONGEST_IN_PICTURES:
        return name
    return f"{name[: LONGEST_IN_PICTURES - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


class Names(dict[str, str]):
    """Display names by label; a label without one is displayed with blanks for `_`."""

    def __missing__(self, label: str) -> str:
        return label.replace("_", " ")

    def note(self, name: str) -> None:
        """Keep a name if it is the first of its label that differs from the label itself."""
        shown = written_name(name)
        if (label := label_of(name)) not in ("", UNKNOWN, shown):
            self.setdefault(label, shown)

    def shown(self, labels: Iterable[str]) -> dict[str, str]:
        """Return the display names of these labels, written or derived."""
        return {label: self[label] for label in labels}

    def of(self, labels: Iterable[str]) -> "Names":
        """Return the written names of these labels."""
        return Names({label: self[label] for label in labels if label in self})


def are_names(names: object, labels: Sequence[str]) -> bool:
    """Tell whether these are names of some of these labels."""
    return isinstance(names, Mapping) and all(
        label in labels and isinstance(name, str) and name != "" and name == written_name(name)
        for label, name in names.items()
    )


def _folded(name: str) -> str:
    """Return a name in one form, without case and without invisible characters.

    This is toNFKC_Casefold (Unicode Standard, 3.13), applied twice, because the folded form of a
    few letters changes when folded again.
    """
    for _ in range(2):
        name = normalize("NFKC", _INVISIBLE.sub("", normalize("NFKC", name)).casefold())
    return name


def _is_mark(sign: str) -> bool:
    return category(sign).startswith("M")


def _acts(sign: str) -> bool:
    return category(sign) in ("Cc", "Cs") or bidirectional(sign) in _BIDI_CONTROLS
