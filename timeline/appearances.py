"""From tags to appearances: who is on screen from when to when.

The rule is the one that speech research uses to turn scores into ranges (Gelly and Gauvain,
"Minimum Word Error Training of RNN-based Voice Activity Detection", Interspeech 2015): a label
becomes active at a high confidence and stays so until a lower one, short gaps are filled, and
what is still short is dropped.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import fsum
from typing import TypeAlias

from timeline.errors import TimelineError
from timeline.ranges import united

PtsRange: TypeAlias = tuple[int, int]
"""Half-open: start <= pts < end."""


@dataclass(frozen=True, slots=True)
class Tag:
    """How sure the classifier is that a label is in the frame at `pts`."""

    pts: int
    label: str
    confidence: float
    """Calibrated, 0 to 1."""

    def __post_init__(self) -> None:
        if not self.label:
            raise TimelineError(f"tag at pts {self.pts}: its label is empty; give it a label")
        if not 0 <= self.confidence <= 1:
            raise TimelineError(
                f"tag {self.label} at pts {self.pts}: confidence {self.confidence} must be 0 to 1"
            )


@dataclass(frozen=True, slots=True)
class Rules:
    """When an appearance starts and ends."""

    onset: float
    """Confidence from which a label is on screen."""
    offset: float
    """Confidence below which it no longer is; at most onset."""
    min_duration_on_seconds: Fraction = Fraction(0)
    """Shorter appearances are dropped."""
    min_duration_off_seconds: Fraction = Fraction(0)
    """Shorter gaps between two appearances of a label are filled."""
    label_thresholds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Labels that have an onset and an offset of their own."""

    def __post_init__(self) -> None:
        _check_thresholds("rules", self.onset, self.offset)
        for label, (onset, offset) in self.label_thresholds.items():
            _check_thresholds(f"rules of {label}", onset, offset)
        for name in ("min_duration_on_seconds", "min_duration_off_seconds"):
            if getattr(self, name) < 0:
                raise TimelineError(f"rules: {name} is {getattr(self, name)}; it must be 0 or more")

    def thresholds(self, label: str) -> tuple[float, float]:
        """Onset and offset of a label: its own where it has them."""
        return self.label_thresholds.get(label, (self.onset, self.offset))


@dataclass(frozen=True, slots=True)
class Appearance:
    """A label over the half-open range `start_pts <= pts < end_pts`."""

    label: str
    start_pts: int
    end_pts: int
    frames: int
    """Frames inside that carry a tag of the label."""
    mean_confidence: float
    max_confidence: float

    def __post_init__(self) -> None:
        if self.start_pts >= self.end_pts:
            raise TimelineError(
                f"appearance of {self.label}: it must end after its start, "
                f"not at pts {self.end_pts} having started at {self.start_pts}"
            )
        if self.frames < 1 or not 0 <= self.mean_confidence <= self.max_confidence <= 1:
            raise TimelineError(
                f"appearance of {self.label} at pts {self.start_pts}: {self.frames} frames, mean "
                f"{self.mean_confidence}, max {self.max_confidence} cannot be; it takes a frame, "
                "and 0 <= mean <= max <= 1"
            )


def find_appearances(
    tags: Sequence[Tag],
    sampled_pts: Sequence[int],
    end_pts: int,
    time_base: Fraction,
    rules: Rules,
    missing: Sequence[PtsRange] = (),
) -> list[Appearance]:
    """Join the tags of each label to appearances.

    A sampled frame speaks from its own pts to the next sampled frame, to the next missing range or
    to the end, whichever comes first; one that lies in a missing range speaks for nothing. A
    label without a tag there has confidence 0. No appearance spans a missing range: it ends
    where the range starts, and after the range only the onset starts a new one.

    Args:
        tags: in any order; of several for one frame and label the surest counts.
        sampled_pts: all frames that were looked at, ascending.
        end_pts: where the last sampled frame leaves the screen.
        time_base: seconds per pts.
        rules: thresholds and durations.
        missing: half-open ranges in which nothing could be looked at, in any order.

    Returns:
        Appearances by start, then label.

    Raises:
        TimelineError: a tag for a frame that was not sampled, samples out of order, an empty
            missing range or a time base that is not positive.
    """
    _check_samples(sampled_pts, end_pts, time_base)
    spans = _spans(sampled_pts, end_pts, missing)
    found = [
        appearance
        for label, confidences in _by_label(tags, sampled_pts).items()
        for appearance in _of_label(label, confidences, spans, time_base, rules)
    ]
    return sorted(found, key=lambda appearance: (appearance.start_pts, appearance.label))


def _of_label(
    label: str,
    confidences: Mapping[int, float],
    spans: Sequence[PtsRange],
    time_base: Fraction,
    rules: Rules,
) -> Iterator[Appearance]:
    # 1. Hysteresis, 2. fill short gaps, 3. drop short appearances. Ticks are pts, here fractional.
    gap_ticks = rules.min_duration_off_seconds / time_base
    keep_ticks = rules.min_duration_on_seconds / time_base
    runs = _active_runs(confidences, spans, *rules.thresholds(label))
    for first, last in _fill_gaps(runs, spans, gap_ticks):
        start_pts, end_pts = spans[first][0], spans[last][1]
        if end_pts - start_pts < keep_ticks:
            continue
        inside = [confidences[i] for i in range(first, last + 1) if i in confidences]
        largest = max(inside)
        # The mean of equal numbers may come out one rounding above them.
        mean = min(fsum(inside) / len(inside), largest)
        yield Appearance(label, start_pts, end_pts, len(inside), mean, largest)


def _active_runs(
    confidences: Mapping[int, float], spans: Sequence[PtsRange], onset: float, offset: float
) -> Iterator[tuple[int, int]]:
    """First and last frame number (inclusive) of each stretch in which the label is active."""
    first = last = -1  # the run under way; none while first is -1
    for i in sorted(confidences):
        start_pts, end_pts = spans[i]
        if start_pts == end_pts:
            continue  # lies in a missing range
        goes_on = first >= 0 and i == last + 1 and spans[last][1] == start_pts
        if first >= 0 and not (goes_on and confidences[i] >= offset):
            yield first, last
            first = -1
        if first < 0 and confidences[i] >= onset:
            first = i
        last = i
    if first >= 0:
        yield first, last


def _fill_gaps(
    runs: Iterator[tuple[int, int]], spans: Sequence[PtsRange], gap_ticks: Fraction
) -> Iterator[tuple[int, int]]:
    current = next(runs, None)
    if current is None:
        return
    for run in runs:
        gap = spans[run[0]][0] - spans[current[1]][1]
        if gap < gap_ticks and _unbroken(spans, current[1], run[0]):
            current = current[0], run[1]
        else:
            yield current
            current = run
    yield current


def _unbroken(spans: Sequence[PtsRange], first: int, last: int) -> bool:
    return all(spans[i][1] == spans[i + 1][0] for i in range(first, last))


def _spans(sampled_pts: Sequence[int], end_pts: int, missing: Sequence[PtsRange]) -> list[PtsRange]:
    """What each sampled frame speaks for, half-open; empty for one in a missing range."""
    ranges = _joined(missing)
    starts = [start for start, _ in ranges]
    spans = []
    for pts, next_pts in zip(sampled_pts, [*sampled_pts, end_pts][1:], strict=True):
        after = bisect_right(starts, pts)  # the first range that starts later
        if after > 0 and pts < ranges[after - 1][1]:
            spans.append((pts, pts))
        else:
            spans.append((pts, min([next_pts, *starts[after : after + 1]])))
    return spans


def _joined(ranges: Sequence[PtsRange]) -> list[PtsRange]:
    for start, end in ranges:
        if start >= end:
            raise TimelineError(f"missing range {start} to {end}: it must end after its start")
    return united(ranges)


def _by_label(tags: Sequence[Tag], sampled_pts: Sequence[int]) -> dict[str, dict[int, float]]:
    """For each label: frame number (the place in sampled_pts) to confidence."""
    number = {pts: i for i, pts in enumerate(sampled_pts)}
    by_label: dict[str, dict[int, float]] = defaultdict(dict)
    for tag in tags:
        if tag.pts not in number:
            raise TimelineError(
                f"tag {tag.label} at pts {tag.pts}: no frame was sampled there; "
                "pass every frame that was looked at"
            )
        confidences, i = by_label[tag.label], number[tag.pts]
        confidences[i] = max(tag.confidence, confidences.get(i, 0.0))
    return by_label


def _check_thresholds(where: str, onset: float, offset: float) -> None:
    # An offset of 0 would never end an appearance, for no confidence is below it.
    if not 0 < offset <= onset <= 1:
        raise TimelineError(
            f"{where}: onset {onset} and offset {offset} must keep 0 < offset <= onset <= 1"
        )


def _check_samples(sampled_pts: Sequence[int], end_pts: int, time_base: Fraction) -> None:
    if time_base <= 0:
        raise TimelineError(f"time base {time_base}: it must be more than 0 seconds per pts")
    ascending = [*sampled_pts, end_pts]
    for pts, next_pts in pairwise(ascending):
        if pts >= next_pts:
            raise TimelineError(
                f"sampled pts {pts} is followed by {next_pts}: each must be later than the one "
                "before, and the end later than all"
            )
