"""Report how runs ended: a line each, the characters on screen, and the exit code."""

from collections.abc import Mapping, Sequence
from math import ceil, floor

from castline import RunState
from castline.asking.values import Appearance
from castline.library import Library
from castline.tagging.values import Run, seconds_by_stage
from castline.text import format_clock, format_time
from cli.console import answer, print_table, say
from cli.tagging.runs import describe_missing, describe_part

EXIT_FAILED = 1
"""Exit code if a file was refused, or a run failed or was cancelled."""

EXIT_PARTIAL = 3
"""Exit code if everything was tried, but parts of an episode are missing."""


def exit_code(runs: Sequence[Run], refused: int = 0) -> int:
    """Return the exit code of a command that worked on these runs and refused some files."""
    if refused or any(run.state in (RunState.FAILED, RunState.CANCELLED) for run in runs):
        return EXIT_FAILED
    return EXIT_PARTIAL if any(run.state is RunState.PARTIAL for run in runs) else 0


def describe_end(run: Run) -> str:
    """Describe in one line how a run ended."""
    line = f"{run.episode}: {run.state}, {run.frames} frames"
    if run.is_part:
        line += f"; examined {describe_part(run)}"
    if run.missing_seconds:
        line += f"; missing {describe_missing(run)}"
    return f"{line}; {run.error}" if run.error else line


def say_statistics(runs: Sequence[Run]) -> None:
    """Print how long work on these runs took, and its largest part, if any was done."""
    from castline.tagging.runs import total_statistics

    total = total_statistics(runs)
    if total.bottleneck is None:
        return
    stages = seconds_by_stage(total).items()
    spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in stages)
    fill = "" if total.batch_fill is None else f"; batches {total.batch_fill:.0%} full"
    say(f"Of all processes: {spent}{fill}. Most time went to: {total.bottleneck}.")


def print_run(library: Library, run: Run) -> None:
    """Print the appearances of this very run, even if queries see another one."""
    answer(describe_end(run))
    if not run.has_ended_well:
        return
    found = library.appearances(run.id)
    if found:
        print_table(("character", "on screen", "when"), _rows(found, library.names()))
    else:
        say("Nobody known is on screen.")


def _rows(found: Sequence[Appearance], names: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return a row per character, in descending order of screen time."""
    by_label: dict[str, list[Appearance]] = {}
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


def _span(item: Appearance) -> str:
    # Outwards to whole seconds: no appearance is shown with a duration of zero.
    return f"{format_clock(floor(item.start_seconds))}-{format_clock(ceil(item.end_seconds))}"
