"""Pools of processes: what they owe the one that started them, and their results in order."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from multiprocessing.connection import wait
from typing import TypeVar

Result = TypeVar("Result")


def follow_parent() -> None:
    """Leave Ctrl-C and the cores to the parent, and end when it ends in any way."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()
    assert parent is not None, "only a pool calls this, in its processes"
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def results_in_order(futures: Iterable[Future[Result]], ahead: int) -> Iterator[Result]:
    """Yield the results of what is submitted, in its order, while so many others are under way.

    Args:
        futures: submit the next task when they are asked for the next.
        ahead: how many are under way before the first result is waited for.
    """
    under_way: deque[Future[Result]] = deque()
    for future in futures:
        under_way.append(future)
        if len(under_way) > ahead:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()
