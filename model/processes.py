"""Processes and a thread that work beside this one."""

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
    """Processes that take tasks in turn, one at a time.

    The executor of `concurrent.futures` has one pipe for the results of all. A process that is
    killed while it writes there leaves half a message, for the rest of which the executor waits for
    ever, as others could still write. A pipe that only one process writes to ends with it.

    Args:
        count: how many, started now; a script needs `if __name__ == "__main__":`, for they read it
            too.
        prepare: called in each once it has started, if anything.
        arguments: of that.
    """

    def __init__(
        self, count: int, prepare: Callable[..., None] | None = None, *arguments: Any
    ) -> None:
        self._started = [_Process(prepare, arguments) for _ in range(count)]

    def results(
        self, work: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Generator[Result, None, None]:
        """Yield what comes of each task, in their order, while the next ones are worked on.

        Raises:
            BrokenProcessPool: a process died.
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
            for process in busy:  # who stopped early finds nothing of these the next time
                with suppress(Exception):
                    process.result()

    def shutdown(self) -> None:
        """End the processes, whatever they are at."""
        for process in self._started:
            process.end()


def taken_ahead(made: Iterator[Result], ahead: int) -> Generator[Result, None, None]:
    """Yield what an iterator makes, which a thread takes so many ahead of whoever uses it."""
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
        # spawned: a fork would copy this process's threads' locks in whatever state they are, and
        # the pipes of the processes before it
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, prepare, arguments), daemon=True
        )
        self._process.start()
        theirs.close()  # or the pipe would not end with the process

    def begin(self, work: Callable[[Any], Any], task: Any) -> None:
        """Hand over a task, whose result is waited for before another one."""
        try:
            self._pipe.send((work, task))
        except ConnectionError as error:
            raise BrokenProcessPool(f"{self._process.name} died") from error

    def result(self) -> Any:
        """Wait for what came of the task, and return or raise that."""
        try:
            result, failure = self._pipe.recv()
        except (EOFError, OSError) as error:  # the second in the midst of a message
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
                error.add_note(traceback.format_exc())  # a traceback does not travel
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
