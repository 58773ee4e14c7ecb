"""Work on a library's episodes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from castline.asking.values import Appearances
from castline.choices import AnyDevice, AnyLane, chosen
from castline.errors import as_castline_errors
from castline.library.opened import Opened
from castline.tables import Table
from castline.tagging import queue, rerun, runs, work
from castline.tagging.queue import Every
from castline.tagging.rerun_plan import Which
from castline.tagging.values import (
    NO_HOOKS,
    Hooks,
    Queue,
    Run,
    Tagged,
    Worked,
)
from db.states import Lane
from model.inference.device import Device


class TaggingMethods(Opened):
    """Tagging, the queue, and running models again.

    `device` is where to classify: `auto`, `cpu` or `gpu`. `hooks` says what is called while work
    goes on.
    """

    @as_castline_errors()
    def tag(
        self,
        *episodes: str | Path,
        model: str | None = None,
        every: Every = "0.5",
        workers: int | None = None,
        device: AnyDevice = Device.AUTO,
        hooks: Hooks = NO_HOOKS,
    ) -> Tagged:
        """Works on episodes on this machine until it is known who is on screen when.

        What was done before is not done again; interrupted, the same call goes on where it stopped.

        Args:
            episodes: Files, or s3:// URLs.
            model: NAME or NAME@VERSION; None for the one in use.
            every: Seconds between two looks at an episode.
            workers: Decoder processes; None for one per core.
            device: Where to classify.
            hooks: What is called meanwhile.

        Returns:
            The run of each episode.

        Raises:
            MediaError: A file cannot be used, unless `hooks.on_refused` is told of it.
            StoppedError: The work was stopped before its end.
        """
        return work.tag(
            self._installation,
            [str(path) for path in episodes],
            model=model,
            every=every,
            workers=workers,
            device=chosen(Device, device),
            hooks=hooks,
        )

    @as_castline_errors()
    def enqueue(
        self,
        *paths: str | Path,
        model: str | None = None,
        every: Every = "0.5",
        lane: AnyLane = Lane.BULK,
        hooks: Hooks = NO_HOOKS,
        on_skipped: Callable[[str], None] = lambda _: None,
    ) -> Queue:
        """Puts episodes into the queue, for workers to work on.

        Args:
            paths: Files, folders of them, or s3:// URLs of either.
            model: NAME or NAME@VERSION; None for the one in use.
            every: Seconds between two looks at an episode.
            lane: What is `interactive` goes first.
            hooks: What is called meanwhile.
            on_skipped: Told of each file in a folder that is passed over, and why.
        """
        found = queue.find_sources(self.settings, [str(path) for path in paths])
        for line in found.skipped:
            on_skipped(line)
        return queue.enqueue(
            self._installation,
            found,
            model=model,
            every=every,
            lane=chosen(Lane, lane),
            hooks=hooks,
        )

    @as_castline_errors()
    def work(
        self,
        *,
        concurrency: int | None = None,
        queues: str | None = None,
        device: AnyDevice = Device.AUTO,
        until_idle: bool = True,
        hooks: Hooks = NO_HOOKS,
        on_start: Callable[[], None] = lambda: None,
    ) -> Worked:
        """Works on what is enqueued, alone or with others that hear of it through a broker.

        Args:
            concurrency: Processes; None for one per core, or per GPU to classify.
            queues: With a broker: `extract`, `classify`, or both with a comma.
            device: Where to classify.
            until_idle: End when nothing is left to do; otherwise only a stop ends it.
            hooks: What is called meanwhile.
            on_start: Called when the database was reached.

        Returns:
            The runs that ended meanwhile.
        """
        return work.work(
            self.settings,
            concurrency=concurrency,
            queues=queues,
            device=chosen(Device, device),
            until_idle=until_idle,
            on_start=on_start,
            hooks=hooks,
        )

    @as_castline_errors()
    def runs(self) -> Table[Run]:
        """Returns all runs, the oldest first, and how far they are."""
        return runs.runs(self._installation)

    @as_castline_errors()
    def absent_models(self) -> list[str]:
        """Returns a line for each model that unfinished runs wait for and that is not here."""
        return runs.absent(self._installation)

    @as_castline_errors()
    def appearances(self, run: int) -> tuple[Appearances, Run | None]:
        """Returns a run's own appearances, and the run that questions see in its place, if any."""
        return runs.appearances(self._installation, run)

    @as_castline_errors()
    def cancel(self, run: int) -> tuple[str, bool]:
        """Stops a run; returns its state, and whether it had not ended before."""
        return runs.cancel(self._installation, run)

    @as_castline_errors()
    def retry(self, run: int) -> tuple[str, int]:
        """Offers again what a run left undone; returns its state, and how many chunks those are."""
        return runs.retry(self._installation, run)

    @as_castline_errors()
    def plan_rerun(
        self,
        which: Which,
        episodes: Sequence[str] = (),
        *,
        model: str | None = None,
        since: datetime | None = None,
    ) -> rerun.Plan:
        """Returns what `rerun` would run again, and for about how long; changes nothing."""
        return rerun.plan(self._installation, which, episodes, model=model, since=since)

    @as_castline_errors()
    def rerun(
        self,
        which: Which,
        episodes: Sequence[str] = (),
        *,
        model: str | None = None,
        since: datetime | None = None,
        workers: int | None = None,
        device: AnyDevice = Device.AUTO,
        hooks: Hooks = NO_HOOKS,
    ) -> rerun.Reran:
        """Runs a model again, from the frames that are stored: nothing is decoded twice.

        Args:
            which: `missing`: episodes without a run that is done; `stale`: those shown by another
                model or with other parameters; `all`.
            episodes: Only these; none for every episode.
            model: NAME or NAME@VERSION, to run beside what is shown; None for the one in use.
            since: Only episodes that were added then or later; without a time zone in UTC.
            workers: Decoder processes; None for one per core.
            device: Where to classify.
            hooks: What is called meanwhile.
        """
        return rerun.rerun(
            self._installation,
            which,
            episodes,
            model=model,
            since=since,
            workers=workers,
            device=chosen(Device, device),
            hooks=hooks,
        )
