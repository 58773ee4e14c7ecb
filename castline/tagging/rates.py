"""How long work takes, measured in the runs that there were."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median

from db.records import RunRecord
from db.states import RunState

LATEST_BURSTS = 20
"""Enough that one bad hour does not count, few enough that an old machine is forgotten."""


@dataclass(frozen=True)
class Rates:
    """Seconds per frame of whole runs, their start-up included; None where none was measured."""

    decoding: float | None
    """Of runs that decoded the episode file."""
    stored: float | None
    """Of runs whose frames all lay in the frame store."""

    def seconds_for(self, frames: float, *, is_stored: bool) -> float | None:
        """About how long a run over so many frames takes.

        Where only decoding was measured, one from the frame store takes that at most.
        """
        rate = self.decoding if not is_stored or self.stored is None else self.stored
        return None if rate is None else frames * rate


def measured_rates(runs: Iterable[RunRecord]) -> Rates:
    """Measures both rates in the runs that ended well."""
    done = [run for run in runs if run.state is RunState.DONE and run.frames]
    return Rates(
        decoding=_rate([run for run in done if run.frames_decoded]),
        stored=_rate([run for run in done if not run.frames_decoded]),
    )


def _rate(runs: list[RunRecord]) -> float | None:
    rates = list(_bursts(runs))[-LATEST_BURSTS:]
    return median(rates) if rates else None


def _bursts(runs: list[RunRecord]) -> Iterator[float]:
    """The seconds per frame of runs that were under way at the same time, oldest first.

    Runs of one command begin together and end one after the other: each by itself would count the
    time of all before it.
    """
    spans = sorted(
        (run.started_at, run.ended_at, run.frames)
        for run in runs
        if run.started_at is not None and run.ended_at is not None
    )
    while spans:
        began, ended, frames = spans.pop(0)
        while spans and spans[0][0] < ended:
            _, next_end, more = spans.pop(0)
            ended, frames = max(ended, next_end), frames + more
        yield (ended - began).total_seconds() / frames
