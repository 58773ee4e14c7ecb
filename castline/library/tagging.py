"""Tagging a library's episodes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from castline.asking.times import Time
from castline.asking.values import Appearances
from castline.choices import AnyDevice, AnyLane, chosen
from castline.errors import as_castline_errors
from castline.library.opened import Opened
from castline.tables import Table
from castline.tagging.values import (
    NO_HOOKS,
    Hooks,
    Queue,
    Run,
    Tagged,
    Worked,
    Worker,
)
from db.states import Lane
from model.inference.device import Device

if TYPE_CHECKING:
    from castline.tagging.queue import Every, Sources
    from castline.tagging.rerun import Plan, Reran
    from castline.tagging.rerun_plan import Which


class TaggingMethods(Opened):
    """Tagging, the queue, and running models again.

    `model` is NAME or NAME@VERSION, or None for the model in use. `device` selects the device to
    classify on: `auto`, `cpu` or `gpu`. `hooks` are callbacks during the work.
    """

    @as_castline_errors()
    def tag(
        self,
        *episodes: str | Path,
        model: str | None = None,
        every: "Every | None" = None,
        from_: Time | None = None,
        to: Time | None = None,
        workers: int | None = None,
        device: AnyDevice = Device.AUTO,
        hooks: Hooks = NO_HOOKS,
        on_skipped: Callable[[str], None] = lambda _: None,
    ) -> Tagged:
        """Tag episodes on this machine and wait for the result.

        Finished runs are not repeated; if interrupted, the same call continues where it stopped.

        Args:
            episodes: Files, folders of them, or s3:// URLs of either.
            model: The model.
            every: Sampling interval in seconds; None for the one asked for last, 0.5 at first.
            from_: Examine only a part, from this time, or the key frame before it.
            to: Examine only a part, until this time.
            workers: Number of decoder processes; None for one per core.
            device: Device to classify on.
            hooks: Callbacks during the work.
            on_skipped: Called with a line for each file in a folder that is skipped, and why.

        Returns:
            The run of each episode.

        Raises:
            MediaError: A file cannot be used, and there is no `hooks.on_refused`.
            RequestError: A path is a folder.
            NotFoundError: There is no such model.
            ModelError: The model or the device cannot be used.
            StoppedError: The work was stopped before its end.
        """
        from castline.tagging.parts import Part
        from castline.tagging.work import tag

        return tag(
            self._installation,
            self._found(episodes, on_skipped),
            model=model,
            every=every,
            part=Part.asked(from_, to),
            workers=workers,
            device=chosen(Device, device),
            hooks=hooks,
        )

    @as_castline_errors()
    def enqueue(
        self,
        *paths: str | Path,
        model: str | None = None,
        every: "Every | None" = None,
        from_: Time | None = None,
        to: Time | None = None,
        lane: AnyLane = Lane.BULK,
        hooks: Hooks = NO_HOOKS,
        on_skipped: Callable[[str], None] = lambda _: None,
    ) -> Queue:
        """Put episodes into the queue for workers.

        Args:
            paths: Files, folders of them, or s3:// URLs of either.
            model: The model.
            every: Sampling interval in seconds; None for the one asked for last, 0.5 at first.
            from_: Examine only a part, from this time, or the key frame before it.
            to: Examine only a part, until this time.
            lane: Lane of the queue; `interactive` goes before `bulk`.
            hooks: Callbacks during the work.
            on_skipped: Called with a line for each file in a folder that is skipped, and why.

        Returns:
            The enqueued runs, the number of refused and skipped files, and the broker's error, if
            any.

        Raises:
            MediaError: A file cannot be used, and there is no `hooks.on_refused`.
            NotFoundError: There is no such model.
            RequestError: A folder contains no video file.
        """
        from castline.tagging.parts import Part
        from castline.tagging.queue import enqueue

        found = self._found(paths, on_skipped)
        return enqueue(
            self._installation,
            found,
            model=model,
            every=every,
            part=Part.asked(from_, to),
            lane=chosen(Lane, lane),
            hooks=hooks,
        )

    def _found(self, paths: Sequence[str | Path], on_skipped: Callable[[str], None]) -> "Sources":
        from castline.tagging.queue import find_sources

        found = find_sources(self.settings, [str(path) for path in paths])
        for line in found.skipped:
            on_skipped(line)
        return found

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
        """Work on the queue, alone or with other workers through a broker.

        Args:
            concurrency: Number of processes; None for one per core, or per GPU to classify.
            queues: With a broker: `extract`, `classify`, or both, separated by a comma.
            device: Device to classify on.
            until_idle: End when the queue is empty; otherwise work until stopped.
            hooks: Callbacks during the work.
            on_start: Called when the database is connected.

        Returns:
            The runs that ended during this call.

        Raises:
            RequestError: `queues` is invalid, or there is no broker.
            WorkError: The broker's URL is invalid, or a process cannot work.
            StoppedError: The work was stopped before the queue was empty.
        """
        from castline.tagging.work import work

        return work(
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
        """Return all runs with their progress.

        Returns:
            The runs, the oldest first.
        """
        from castline.tagging.runs import runs

        return runs(self._installation)

    @as_castline_errors()
    def absent_models(self) -> list[str]:
        """Return the missing models for which unfinished runs wait.

        Returns:
            A line with the remedy for each model.
        """
        from castline.tagging.runs import absent

        return absent(self._installation)

    @as_castline_errors()
    def appearances(self, run: int) -> Appearances:
        """Return the appearances of a run, even if it is not the current run of its episode.

        Args:
            run: Number of the run.

        Returns:
            The appearances of this run.

        Raises:
            NotFoundError: There is no such run.
        """
        from castline.tagging.runs import appearances

        return appearances(self._installation, run)

    @as_castline_errors()
    def workers(self) -> Table[Worker]:
        """Returns the processes that work on the queue, on this machine and on others."""
        from castline.tagging.runs import workers

        return workers(self._installation)

    @as_castline_errors()
    def cancel(self, run: int) -> tuple[str, bool]:
        """Stop a run; its extracted frames and tags are kept for a retry.

        Args:
            run: Number of the run.

        Returns:
            The state of the run, and whether it was still open before.

        Raises:
            NotFoundError: There is no such run.
        """
        from castline.tagging.runs import cancel

        return cancel(self._installation, run)

    @as_castline_errors()
    def retry(self, run: int) -> tuple[str, int]:
        """Queue the unfinished work of a cancelled, failed or partial run again.

        Args:
            run: Number of the run.

        Returns:
            The state of the run, and the number of chunks queued again.

        Raises:
            NotFoundError: There is no such run.
        """
        from castline.tagging.runs import retry

        return retry(self._installation, run)

    @as_castline_errors()
    def shown_instead(self, run: int) -> tuple[str, ...]:
        """Return a line about the current run of a run's episode, if it is another one.

        Args:
            run: Number of the run.

        Returns:
            At most one line, which says how to see this run.
        """
        from castline.tagging.runs import shown_instead

        return shown_instead(self._installation, run)

    @as_castline_errors()
    def plan_rerun(
        self,
        which: "Which",
        episodes: Sequence[str] = (),
        *,
        model: str | None = None,
        since: datetime | None = None,
    ) -> "Plan":
        """Return the runs that `rerun` would make, with an estimate of the time; change nothing.

        Args:
            which: See `rerun`.
            episodes: Only these episodes; none means all.
            model: The model.
            since: Only episodes that were added at this time or later; UTC without a time zone.

        Returns:
            The planned runs.

        Raises:
            NotFoundError: A name matches no episode or model, or several.
        """
        from castline.tagging.rerun import plan

        return plan(self._installation, which, episodes, model=model, since=since)

    @as_castline_errors()
    def rerun(
        self,
        which: "Which",
        episodes: Sequence[str] = (),
        *,
        model: str | None = None,
        since: datetime | None = None,
        workers: int | None = None,
        device: AnyDevice = Device.AUTO,
        hooks: Hooks = NO_HOOKS,
    ) -> "Reran":
        """Run a model again on the stored frames: nothing is decoded twice.

        Args:
            which: `missing`: episodes without a finished run; `stale`: episodes whose current run
                has another model or other parameters; `all`: every episode.
            episodes: Only these episodes; none means all.
            model: The model; one that is not in use runs without becoming current.
            since: Only episodes that were added at this time or later; UTC without a time zone.
            workers: Number of decoder processes; None for one per core.
            device: Device to classify on.
            hooks: Callbacks during the work.

        Returns:
            The requested runs.

        Raises:
            NotFoundError: A name matches no episode or model, or several.
            ModelError: The model or the device cannot be used.
            StoppedError: The work was stopped before its end.
        """
        from castline.tagging.rerun import rerun

        return rerun(
            self._installation,
            which,
            episodes,
            model=model,
            since=since,
            workers=workers,
            device=chosen(Device, device),
            hooks=hooks,
        )
