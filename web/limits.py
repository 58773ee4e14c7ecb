"""Limits on what starts work: so many requests a minute, and each only once."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from http import HTTPStatus
from typing import Generic, TypeVar

from starlette.exceptions import HTTPException

AnswerT = TypeVar("AnswerT")


class RateLimit:
    """A token bucket: `burst` requests together, and `per_minute` in the long run."""

    def __init__(
        self, per_minute: int = 60, burst: int = 30, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_minute / 60
        self._burst = burst
        self._clock = clock
        self._left: float = burst
        self._since = clock()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Take one request.

        Raises:
            HTTPException: None is left; it says when there will be one.
        """
        with self._lock:
            now = self._clock()
            self._left = min(self._burst, self._left + (now - self._since) * self._per_second)
            self._since = now
            if self._left < 1:
                wait_seconds = max(1, round((1 - self._left) / self._per_second))
                raise HTTPException(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    f"too many requests that start work; try again in {wait_seconds} s",
                    headers={"retry-after": str(wait_seconds)},
                )
            self._left -= 1


MOST_KEYS = 1000
"""Idempotency keys that are remembered: a day's work of several people."""


class Idempotency(Generic[AnswerT]):
    """Answers by the keys of their requests: a repeated request starts nothing twice.

    Keys are remembered until the server ends, or until many others came.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[str, tuple[str, Future[AnswerT]]] = OrderedDict()
        self._lock = threading.Lock()

    def once(self, key: str | None, request: str, answer: Callable[[], AnswerT]) -> AnswerT:
        """Return the answer to a request; for a known key the one that was given before.

        Args:
            key: Value of the header Idempotency-Key; None answers always.
            request: The request as text; a key belongs to one.
            answer: Makes the answer.

        Raises:
            HTTPException: The key was used for another request.
        """
        if key is None:
            return answer()
        with self._lock:
            known = self._answers.get(key)
            if known is None:
                made: Future[AnswerT] = Future()
                self._answers[key] = (request, made)
                while len(self._answers) > MOST_KEYS:
                    self._answers.popitem(last=False)
        if known is None:
            return self._made(key, made, answer)
        if known[0] != request:
            raise HTTPException(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "Idempotency-Key: was used for another request; make a new one",
            )
        return known[1].result()

    def _made(self, key: str, made: Future[AnswerT], answer: Callable[[], AnswerT]) -> AnswerT:
        try:
            made.set_result(answer())
        except BaseException as error:
            with self._lock:  # what failed may be tried again
                self._answers.pop(key, None)
            made.set_exception(error)
            raise
        return made.result()
