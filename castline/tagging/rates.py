"""Estimate the duration of work from earlier runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median

from db.records import RunRecord
from db.states import RunState

LATEST_BURSTS = 20
"""Enough that one bad hour has little weight, few enough that an old machine is forgotten."""


@dataclass(frozen=True)
class Rates:
    """Seconds per frame of whole runs, including start-up; None where none was measured."""

    decoding: float | None
    """Rate of runs that decoded the episode file."""
    stored: float | None
    """Rate of runs whose frames were all in the frame store."""

    def seconds_for(self, frames: float, *, is_stored: bool) -> float | None:
        """Estimate how long a run over this number of frames takes.

        Where only decoding was measured, that rate is an upper bound for the frame store.
        """
        rate = self.decoding if not is_stored or self.stored is None else self.stored
        return None if rate is None else frames * rate


def measured_rates(runs: Iterable[RunRecord]) -> Rates:
    """Measure both rates in the runs that ended well."""
    done = [run for run in runs if run.state is RunState.DONE and run.frames]
    return Rates(
        decoding=_rate([run for run in done if run.frames_decoded]),
        stored=_rate([run for run in done if not run.frames_decoded]),
    )


def _rate(runs: list[RunRecord]) -> float | None:
    rates = list(_bursts(runs))[-LATEST_BURSTS:]
    return median(rates) if rates else None


def _bursts(runs: list[RunRecord]) -> Iterator[float]:
    """Yield the seconds per frame of bursts of concurrent runs, oldest first.

    Runs of one command start together and end one after the other: each one's own duration would
    include the time of all before it.
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
