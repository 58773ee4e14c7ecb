"""Read ahead during computation."""

from collections.abc import Generator, Iterable
from itertools import islice
from typing import TypeVar

from model.processes import taken_ahead

Item = TypeVar("Item")


def in_parts_read_ahead(items: Iterable[Item], length: int) -> Generator[list[Item], None, None]:
    """Yield lists of up to `length` items; a thread reads the next list while the last one is used.

    A caller that does not take all of them must close the generator, which waits for the thread.
    """
    iterator = iter(items)
    return taken_ahead(iter(lambda: list(islice(iterator, length)), []), 1)
