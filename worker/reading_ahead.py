"""Reading while something else computes."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def in_parts_read_ahead(
    items: Iterable[Item], length: int, first_length: int
) -> Iterator[list[Item]]:
    """Parts of up to `length` items; a thread reads the next part while the last one is used.

    The first part, for which everything waits, has up to `first_length`.
    """
    iterator = iter(items)

    def next_part(length: int) -> list[Item]:
        return list(islice(iterator, length))

    with ThreadPoolExecutor(1, thread_name_prefix="read ahead") as reader:
        coming = reader.submit(next_part, first_length)
        while part := coming.result():
            coming = reader.submit(next_part, length)
            yield part
