"""Tell browsers that the queue moved on, by server-sent events."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import suppress
from http import HTTPStatus

import anyio.to_thread
from starlette.exceptions import HTTPException

from castline import CastlineError

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
"""Interval at which the queue is looked at, once for all who watch."""

SILENCE_SECONDS = 15.0
"""Longest silence on a stream: proxies close one that says nothing for a minute."""

MOST_WATCHERS = 500
"""Streams that are open together; each takes a connection and some kilobytes."""


class Watcher:
    """Looks at the queue while anybody watches, and tells them what is new."""

    def __init__(self, look: Callable[[], Hashable], every_seconds: float = EVERY_SECONDS) -> None:
        self._look = look
        self._every_seconds = every_seconds
        self._seen: Hashable = None
        self._number = 0
        self._watchers = 0
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    def watch(self) -> AsyncIterator[bytes]:
        """Return a stream of events: one now, and one for each change.

        Raises:
            HTTPException: Too many watch.
        """
        if self._watchers >= MOST_WATCHERS:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "too many pages watch the queue")
        return self._events()

    async def _events(self) -> AsyncIterator[bytes]:
        self._watchers += 1
        try:
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._look_on())
            told = self._number
            yield _event(told)
            while True:
                with suppress(TimeoutError):
                    await self._change_after(told)
                if self._number == told:
                    yield b": nothing new\n\n"
                else:
                    told = self._number
                    yield _event(told)
        finally:
            self._watchers -= 1

    async def _change_after(self, told: int) -> None:
        async with asyncio.timeout(SILENCE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: self._number != told)

    async def _look_on(self) -> None:
        while self._watchers:
            try:
                seen = await anyio.to_thread.run_sync(self._look)
            except CastlineError as error:  # a database that restarts
                logger.warning("The queue could not be looked at: %s", error)
            else:
                await self._tell(seen)
            await asyncio.sleep(self._every_seconds)

    async def _tell(self, seen: Hashable) -> None:
        if seen == self._seen:
            return
        self._seen = seen
        async with self._changed:
            self._number += 1
            self._changed.notify_all()


def _event(number: int) -> bytes:
    return f"id: {number}\nevent: queue\ndata: {number}\n\n".encode()
