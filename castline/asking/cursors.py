"""Cursors: places in an order as opaque text that a client hands back."""

import base64
import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from castline.errors import RequestError

LONGEST = 8192
"""Longest cursor: a path of the longest name that file systems allow, and more."""

Kinds: TypeAlias = Sequence[type | tuple[type, ...]]
"""The types of the values of a place."""


def cursor_of(order: str, place: Sequence[str | int | float] | None) -> str | None:
    """Return the cursor of a place in an order; None for none."""
    if place is None:
        return None
    text = json.dumps([order, *place], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(order: str, cursor: str, kinds: Kinds) -> tuple[Any, ...]:
    """Return the place of a cursor.

    Raises:
        RequestError: It is not a cursor of this order.
    """
    values = _decoded(cursor)
    if values[:1] == [order] and len(values) == len(kinds) + 1:
        place = values[1:]
        if all(map(_is_a, place, kinds)):
            return tuple(place)
    raise RequestError(f"after: not a cursor of the order {order}; begin with the first page")


def _decoded(cursor: str) -> list[Any]:
    """Return the values of a cursor; none if it is not one."""
    if len(cursor) > LONGEST:
        return []
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        return []
    return values if isinstance(values, list) else []


def _is_a(value: object, kind: type | tuple[type, ...]) -> bool:
    if isinstance(value, int) and abs(value) > _LARGEST:
        return False
    return isinstance(value, kind) and not isinstance(value, bool)


_LARGEST = 2**63 - 1
"""Of an integer in a database."""
