"""How runs ended: a line each, who was seen when, and the exit code."""

from collections.abc import Sequence
from dataclasses import fields
from math import ceil, floor

from cli.console import answer, print_table, say
from cli.runs import describe_missing
from db.effort import STAGES, RunEffort, run_efforts
from db.records import AppearanceRecord, RunRecord
from db.runs import current_run_of, run_appearances
from model.labels import Names
from timeline.times import format_clock, format_time
from worker.names import names_of
from worker.workplace import Workplace

EXIT_FAILED = 1
"""A file was refused, or a run failed or was cancelled."""

EXIT_PARTIAL = 3
"""Everything was tried, and parts of an episode are missing."""


def exit_code(runs: Sequence[RunRecord], refused: int = 0) -> int:
    """The exit code of a command that worked on these runs and refused this many files."""
    if refused or any(run.state in ("failed", "cancelled") for run in runs):
        return EXIT_FAILED
    return EXIT_PARTIAL if any(run.state == "partial" for run in runs) else 0


def describe_end(run: RunRecord) -> str:
    """How a run ended, in one line."""
    line = f"{run.episode}: {run.state}, {run.frames} frames"
    if run.missing:
        line += f"; missing {describe_missing(run)}"
    return f"{line}; {run.error}" if run.error else line


def say_effort(place: Workplace, runs: Sequence[RunRecord]) -> None:
    """Says what work on these runs took, and what most of it was, if anything was done."""
    with place.database.read() as connection:
        found = run_efforts(connection)
    efforts = [found[run.id] for run in runs if run.id in found]
    amounts = {
        field.name: sum(getattr(effort, field.name) for effort in efforts)
        for field in fields(RunEffort)
    }
    total = RunEffort(**amounts)
    if total.bottleneck is None:
        return
    spent = ", ".join(f"{name} {amounts[name]:.1f} s" for name in STAGES)
    fill = "" if total.batch_fill is None else f"; batches {total.batch_fill:.0%} full"
    say(f"Of all processes: {spent}{fill}. Most time went to: {total.bottleneck}.")


def print_run(place: Workplace, run: RunRecord) -> None:
    """Says who is on screen when by a run's own appearances, whichever run queries see."""
    answer(describe_end(run))
    if run.state not in ("done", "partial"):
        return
    with place.database.read() as connection:
        found = run_appearances(connection, run.id)
        names = names_of(connection)
        current = current_run_of(connection, run.episode_id)
    if current and current.id != run.id:
        is_same_model = current.model_sha256 == run.model_sha256
        reason = "that run is complete" if is_same_model else "a newer or a promoted model"
        say(f"castline who shows run {current.id} by {current.model} instead: {reason}.")
    if found:
        print_table(("character", "on screen", "when"), _rows(found, names))
    else:
        say("Nobody known is on screen.")


def _rows(found: Sequence[AppearanceRecord], names: Names) -> list[tuple[str, str, str]]:
    """A row per character, the one that is on screen longest first."""
    by_label: dict[str, list[AppearanceRecord]] = {}
    for item in found:
        by_label.setdefault(item.label, []).append(item)
    totals = {
        label: sum(item.end_seconds - item.start_seconds for item in items)
        for label, items in by_label.items()
    }
    return [
        (names[label], format_time(totals[label]), ", ".join(map(_span, by_label[label])))
        for label in sorted(by_label, key=lambda label: (-totals[label], label))
    ]


def _span(item: AppearanceRecord) -> str:
    # Outwards to whole seconds: nothing that was seen is shown as lasting no time.
    return f"{format_clock(floor(item.start_seconds))}-{format_clock(ceil(item.end_seconds))}"
