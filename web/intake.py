"""Enqueue files in the background: each is read to its end for its SHA-256."""

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException

from castline import CastlineError, Hooks, Library, RequestError

logger = logging.getLogger(__name__)

MOST_WAITING = 100
"""Requests that wait: more than a person makes before the first is done."""

MOST_KEPT = 100
"""Requests that are remembered after they ended."""

MOST_LINES = 100
"""Lines that are kept of a request."""


class IntakeState(StrEnum):
    """The state of a request."""

    WAITING = "waiting"
    READING = "reading"
    DONE = "done"
    REFUSED = "refused"
    """Nothing was enqueued."""


@dataclass
class Intake:
    """A request to enqueue a file or a folder, and what became of it."""

    id: int
    path: str
    model: str | None
    lane: str
    state: IntakeState = IntakeState.WAITING
    reading: str = ""
    """Name of the file that is read now."""
    runs: tuple[int, ...] = ()
    new: int = 0
    """Number of runs that did not exist before."""
    refused: list[str] = field(default_factory=list)
    """A line for each file that cannot be used."""
    skipped: list[str] = field(default_factory=list)
    """A line for each file in a folder that was skipped."""
    notice: str | None = None
    """Why workers were not told; they will find the runs."""

    @property
    def is_open(self) -> bool:
        """Whether files are still to be read."""
        return self.state in (IntakeState.WAITING, IntakeState.READING)


class Intakes:
    """Requests to enqueue files, done one after the other by a thread of this process."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._all: OrderedDict[int, Intake] = OrderedDict()
        self._waiting: deque[Intake] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._last = 0

    def add(self, path: str, *, model: str | None = None, lane: str = "interactive") -> Intake:
        """Take a request.

        Raises:
            RequestError: The path is not under the media roots.
            HTTPException: Too many requests wait.
        """
        found = under_media_roots(self._library, path)
        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                raise HTTPException(
                    HTTPStatus.TOO_MANY_REQUESTS, "too many files wait to be read; try again later"
                )
            self._last += 1
            intake = Intake(self._last, found, model, lane)
            self._all[intake.id] = intake
            self._waiting.append(intake)
            self._forget_old()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="intake", daemon=True)
                self._thread.start()
        return intake

    def _forget_old(self) -> None:
        ended = [number for number, one in self._all.items() if not one.is_open]
        for number in ended[: max(0, len(ended) - MOST_KEPT)]:
            del self._all[number]

    def get(self, number: int) -> Intake | None:
        """Return a request, or None if it is forgotten."""
        return self._all.get(number)

    def shown(self) -> list[Intake]:
        """Return the requests, the latest first."""
        with self._lock:
            return list(reversed(self._all.values()))

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                intake = self._waiting.popleft()
            self._do(intake)

    def _do(self, intake: Intake) -> None:
        intake.state = IntakeState.READING

        @contextmanager
        def reading(source: str) -> Iterator[None]:
            intake.reading = Path(source).name
            yield

        hooks = Hooks(reading=reading, on_refused=lambda error: _add(intake.refused, str(error)))
        try:
            done = self._library.enqueue(
                intake.path,
                model=intake.model,
                lane="bulk" if intake.lane == "bulk" else "interactive",
                hooks=hooks,
                on_skipped=lambda line: _add(intake.skipped, line),
            )
        except CastlineError as error:
            _add(intake.refused, str(error))
        except Exception:
            logger.exception("A file could not be enqueued")
            _add(intake.refused, "the server failed; its log says more")
        else:
            intake.runs = tuple(each.run_id for each in done.enqueued)
            intake.new = sum(each.is_new for each in done.enqueued)
            intake.notice = str(done.broker_error) if done.broker_error else None
        intake.state = IntakeState.DONE if intake.runs else IntakeState.REFUSED


def _add(lines: list[str], line: str) -> None:
    if len(lines) < MOST_LINES:
        lines.append(line)


def under_media_roots(library: Library, path: str) -> str:
    """Return the path of a file or a folder, which may be given relative to a media root.

    Raises:
        RequestError: There are no media roots, or it is not in one of them. A path elsewhere is
            answered like one that does not exist: nobody learns what else is on this machine.
    """
    settings = library.settings
    if any(f"{path}/".startswith(f"{url}/") for url in settings.media_urls):
        return path
    if not settings.media_roots and not settings.media_urls:
        raise RequestError(
            "no media folders are set; set CASTLINE_MEDIA_ROOTS, or run: castline enqueue PATH"
        )
    for root in settings.media_roots:
        try:
            real = (root / path).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            continue
        if any(real.is_relative_to(each.resolve()) for each in settings.media_roots):
            return str(root / path)
    listed = ", ".join((*map(str, settings.media_roots), *settings.media_urls))
    raise RequestError(f"{path}: there is no such file or folder in the media folders, {listed}")
