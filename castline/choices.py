"""Words that callers choose among, as members of their set or as plain text."""

from enum import StrEnum
from typing import Literal, TypeAlias, TypeVar

from castline.errors import RequestError
from db.states import Lane
from model.inference.device import Device

AnyDevice: TypeAlias = Device | Literal["auto", "cpu", "gpu"]
"""Where to classify."""

AnyLane: TypeAlias = Lane | Literal["interactive", "bulk"]
"""What is interactive goes first."""

Word = TypeVar("Word", bound=StrEnum)


def chosen(words: type[Word], given: str) -> Word:
    """The member of a set of words that a caller gives.

    Raises:
        RequestError: It is none; the line names them.
    """
    try:
        return words(given)
    except ValueError:
        kind = words.__name__.lower()
        raise RequestError(f"{kind} {given!r} is unknown: use one of {', '.join(words)}") from None
