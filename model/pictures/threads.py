"""Process many pictures with OpenCV on all cores."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def on_all_cores(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return the results of a function for all items; each core handles a part of them.

    This is faster only if the function releases the GIL, as OpenCV's do.
    """
    cores = len(os.sched_getaffinity(0))
    share = max(1, -(-len(items) // cores))
    parts = [items[first : first + share] for first in range(0, len(items), share)]
    with ThreadPoolExecutor(cores) as threads:
        made = threads.map(lambda part: [function(item) for item in part], parts)
        return [result for part in made for result in part]
