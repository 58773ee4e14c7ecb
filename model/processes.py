"""Worker processes, and a thread that works ahead."""

import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar, cast

Task = TypeVar("Task")
Result = TypeVar("Result")


class Processes:
    """Worker processes that take tasks in turn, one at a time.

    The executor of `concurrent.futures` has one pipe for all results. A process that is killed
    while writing there leaves half a message, and the executor waits for the rest for ever, because
    other processes could still write. A pipe with a single writer is closed with its process.

    Args:
        count: Number of processes, started now; a script needs `if __name__ == "__main__":`,
            because they import it too.
        prepare: Called in each process after its start, if given.
        arguments: Arguments of `prepare`.
    """

    def __init__(
        self, count: int, prepare: Callable[..., None] | None = None, *arguments: Any
    ) -> None:
        self._started = [_Process(prepare, arguments) for _ in range(count)]

    def results(
        self, work: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Generator[Result, None, None]:
        """Yield the result of each task, in order, while the next ones are computed.

        Raises:
            BrokenProcessPool: A process died.
        """
        busy: deque[_Process] = deque()
        left = iter(tasks)
        try:
            for process, task in zip(self._started, left, strict=False):
                process.begin(work, task)
                busy.append(process)
            for task in left:
                process = busy.popleft()
                result = process.result()
                process.begin(work, task)
                busy.append(process)
                yield result
            while busy:
                yield busy.popleft().result()
        finally:
            for process in busy:  # no result is left over for the next call
                with suppress(Exception):
                    process.result()

    def shutdown(self) -> None:
        """End the processes, whether they are busy or not."""
        for process in self._started:
            process.end()


def taken_ahead(made: Iterator[Result], ahead: int) -> Generator[Result, None, None]:
    """Yield the results of an iterator, with a thread that computes this many in advance."""
    thread, end = ThreadPoolExecutor(1), object()
    under_way = deque(thread.submit(next, made, end) for _ in range(ahead))
    try:
        while (one := under_way.popleft().result()) is not end:
            under_way.append(thread.submit(next, made, end))
            yield cast("Result", one)
    finally:
        thread.shutdown(cancel_futures=True)


class _Process:
    def __init__(self, prepare: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
        # spawned: a fork would copy the locks of this process's threads in any state, and the pipes
        # of earlier processes
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, prepare, arguments), daemon=True
        )
        self._process.start()
        theirs.close()  # otherwise the pipe would not end with the process

    def begin(self, work: Callable[[Any], Any], task: Any) -> None:
        """Send a task; its result must be received before the next one is sent."""
        try:
            self._pipe.send((work, task))
        except ConnectionError as error:
            raise BrokenProcessPool(f"{self._process.name} died") from error

    def result(self) -> Any:
        """Wait for the result of the task; return it, or raise its error."""
        try:
            result, failure = self._pipe.recv()
        except (EOFError, OSError) as error:  # OSError: in the middle of a message
            raise BrokenProcessPool(f"{self._process.name} died") from error
        if failure is not None:
            raise failure
        return result

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _serve(
    pipe: Connection, prepare: Callable[..., None] | None, arguments: tuple[Any, ...]
) -> None:
    """Work on tasks until the parent ends or closes the pipe."""
    _follow_parent()
    if prepare is not None:
        prepare(*arguments)
    with suppress(EOFError, ConnectionError):
        while True:
            work, task = pipe.recv()
            result, failure = None, None
            try:
                result = work(task)
            except Exception as error:
                error.add_note(traceback.format_exc())  # a traceback cannot be pickled
                failure = error
            pipe.send((result, failure))


def _follow_parent() -> None:
    """Leave Ctrl-C and the cores to the parent, and end when it ends in any way."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()
    assert parent is not None, "only processes that were started call this"
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
