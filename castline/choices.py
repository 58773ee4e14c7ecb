"""Enumerations whose members callers may give as plain text."""

from enum import StrEnum
from typing import Literal, TypeAlias, TypeVar

from castline.errors import RequestError
from db.states import Lane
from model.inference.device import Device

AnyDevice: TypeAlias = Device | Literal["auto", "cpu", "gpu"]
"""Device to classify on."""

AnyLane: TypeAlias = Lane | Literal["interactive", "bulk"]
"""Lane of the queue: `interactive` goes before `bulk`."""

Word = TypeVar("Word", bound=StrEnum)


def chosen(words: type[Word], given: str) -> Word:
    """Return the member of an enumeration for a caller's text.

    Raises:
        RequestError: There is no such member; the message lists them.
    """
    try:
        return words(given)
    except ValueError:
        kind = words.__name__.lower()
        raise RequestError(f"{kind} {given!r} is unknown: use one of {', '.join(words)}") from None
