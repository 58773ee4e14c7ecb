"""Reading while something else computes."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def in_parts_read_ahead(items: Iterable[Item], length: int) -> Iterator[list[Item]]:
    """Parts of up to `length` items; a thread reads the next part while the last one is used."""
    iterator = iter(items)

    def next_part() -> list[Item]:
        return list(islice(iterator, length))

    with ThreadPoolExecutor(1, thread_name_prefix="read ahead") as reader:
        coming = reader.submit(next_part)
        while part := coming.result():
            coming = reader.submit(next_part)
            yield part
