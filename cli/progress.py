"""A progress bar per episode, on stderr and only on a terminal."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from castline.tagging.values import RunProgress
from castline.text import visible
from cli.terminal import stderr


@contextmanager
def run_bars() -> Iterator[Callable[[Sequence[RunProgress]], None] | None]:
    """Yield a function that shows and moves bars until the block ends; None without a terminal."""
    if not stderr.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} frames"),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[step]}"),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=stderr)
    try:
        yield RunBars(progress).show
    finally:
        if progress.live.is_started:
            progress.stop()


@contextmanager
def reading(source: str) -> Iterator[None]:
    """Say on a terminal that a file is being read: its identity is a hash of all its bytes."""
    if not stderr.is_terminal:
        yield
        return
    with stderr.status(f"Reading {escape(visible(Path(source).name))}"):
        yield


@contextmanager
def step_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar per step during the block; yield the function that moves a step's bar.

    The function takes the step's name, the amount done and the total; without a terminal it shows
    nothing.
    """
    if not stderr.is_terminal:
        yield lambda _step, _done, _total: None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stderr) as progress:
        bars: dict[str, TaskID] = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in bars:
                # work done before this call does not count towards the speed
                bars[step] = progress.add_task(step, total=total, completed=done)
            progress.update(bars[step], completed=done, total=total)

        yield show


class RunBars:
    """The bars of the runs in progress."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[int, TaskID] = {}
        self._first: dict[int, tuple[float, float]] = {}

    def show(self, runs: Sequence[RunProgress]) -> None:
        """Move each run's bar to its current progress; new bars appear at the first call."""
        self._progress.start()
        for run in runs:
            total, frames = run.frames_total, run.frames
            if run.run_id not in self._bars:
                self._bars[run.run_id] = self._progress.add_task(
                    visible(run.episode), total=total, rate="", step=""
                )
                self._first[run.run_id] = time.monotonic(), frames
            bar = self._bars[run.run_id]
            if frames >= total:
                self._progress.update(bar, completed=total, step="classifying")
                continue
            began_seconds, began_frames = self._first[run.run_id]
            rate = (frames - began_frames) / max(time.monotonic() - began_seconds, 0.001)
            self._progress.update(
                bar, completed=frames, rate=f"{rate:.0f} frames/s", step="extracting"
            )
