"""Find the answers of a run that are most worth reviewing. Pure.

A doubt is a label over a range, with a reason and a worth from 0 to 1: how likely the answer seems
wrong, judged by the run's confidences and by earlier corrections of the label.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import fsum

from exact.ranges import PtsRange, holds
from timeline.appearances.rules import Rules

ISOLATED_SECONDS = 60
"""Time without the label on either side: a character of a story mostly reappears within a
minute."""

BRIEF_SECONDS = 3
"""About a shot: a longer appearance was seen in many samples."""

LEAST_WORTH = 0.1
"""Below this, nine out of ten such answers are right."""

RIVAL = 0.2
"""Share of a label's own confidence from which another label is offered as an alternative."""

FEWEST_LOOKS = 2
"""Samples of a stretch between offset and onset: a single one mostly means nothing."""


class Kind(StrEnum):
    """Why an answer is worth reviewing."""

    UNSURE = "unsure"
    """Its confidence is near the onset."""
    ISOLATED = "isolated"
    """It is brief, and the label is not nearby."""
    CONFUSED = "confused"
    """Another label is nearly as likely, or was the correct one before."""
    STRANGER = "stranger"
    """Many labels are slightly likely, or the label was often wrong before."""
    MISSED = "missed"
    """The label is between its offset and its onset, so it is not reported."""


@dataclass(frozen=True, slots=True)
class Found:
    """A raw appearance."""

    label: str
    start_pts: int
    end_pts: int
    mean_confidence: float


@dataclass(frozen=True, slots=True)
class Doubt:
    """An answer worth reviewing."""

    kind: Kind
    label: str
    start_pts: int
    end_pts: int
    at_pts: int
    """A sampled frame well inside the range, to look at."""
    confidence: float
    worth: float
    other: str | None = None
    """The label that may be correct instead."""


@dataclass(frozen=True)
class Record:
    """How often labels were judged, and with which results."""

    judged: Mapping[str, int] = field(default_factory=dict)
    wrong: Mapping[str, int] = field(default_factory=dict)
    """How often no known character was on screen."""
    taken_for: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How often the first label was in fact the second one."""

    def share(self, count: int, label: str) -> float:
        """Return a share of the verdicts on a label; two are added, so that one proves little."""
        return count / (self.judged.get(label, 0) + 2)


@dataclass(frozen=True)
class Run:
    """The samples and results of a run."""

    appearances: Sequence[Found]
    sampled_pts: Sequence[int]
    """The pts of sampled frames, ascending."""
    confidences: Mapping[str, Mapping[int, float]]
    """Confidences by label and pts, where there is a tag."""
    rules: Rules
    time_base: Fraction

    def inside(self, start_pts: int, end_pts: int) -> Sequence[int]:
        """Return the sampled frames of a half-open range."""
        first = bisect_left(self.sampled_pts, start_pts)
        return self.sampled_pts[first : bisect_left(self.sampled_pts, end_pts)]

    def mean(self, label: str, pts: Sequence[int]) -> float:
        """Return the mean confidence in a label over frames; 0 where a frame has no tag of it."""
        tags = self.confidences.get(label, {})
        return fsum(tags.get(one, 0.0) for one in pts) / len(pts) if pts else 0.0


def doubts(run: Run, record: Record) -> Iterator[Doubt]:
    """Yield the answers of a run worth reviewing, in any order."""
    spans: dict[str, list[PtsRange]] = defaultdict(list)
    for one in sorted(run.appearances, key=lambda one: one.start_pts):
        spans[one.label].append((one.start_pts, one.end_pts))
    for one in run.appearances:
        yield from _of_appearance(run, record, one, spans)
    for label in run.confidences:
        yield from _missed(run, label, spans.get(label, ()))


def _of_appearance(
    run: Run, record: Record, one: Found, spans: Mapping[str, Sequence[PtsRange]]
) -> Iterator[Doubt]:
    looks = run.inside(one.start_pts, one.end_pts)
    at_pts = looks[len(looks) // 2] if looks else one.start_pts

    def doubt(kind: Kind, worth: float, other: str | None = None) -> Doubt:
        span = one.start_pts, one.end_pts
        return Doubt(kind, one.label, *span, at_pts, one.mean_confidence, worth, other)

    onset, _ = run.rules.thresholds(one.label)
    unsure = min(1.0, (1 - one.mean_confidence) / (1 - onset)) if onset < 1 else 1.0
    if unsure >= LEAST_WORTH:
        yield doubt(Kind.UNSURE, unsure)
    if _is_isolated(run, one, spans[one.label]):
        yield doubt(Kind.ISOLATED, 1 - one.mean_confidence)
    shown = {label for label, own in spans.items() if _meeting(own, one.start_pts, one.end_pts)}
    rivals = {label: run.mean(label, looks) for label in run.confidences if label not in shown}
    rivals = {label: mean for label, mean in rivals.items() if mean > 0}
    if likeliest := _likeliest(one, rivals, record):
        yield doubt(Kind.CONFUSED, *likeliest)
    others = fsum(rivals.values())
    spread = others / (others + one.mean_confidence) if len(rivals) > 1 else 0.0
    before = record.share(record.wrong.get(one.label, 0), one.label)
    if (strange := _either(spread * unsure, before)) >= LEAST_WORTH:
        yield doubt(Kind.STRANGER, strange)


def _likeliest(one: Found, rivals: Mapping[str, float], record: Record) -> tuple[float, str] | None:
    """Return the likeliest alternative label by confidences and corrections, and its likelihood."""
    said = {other for label, other in record.taken_for if label == one.label}
    worths = []
    for other in {*rivals, *said}:
        seen = min(1.0, rivals.get(other, 0.0) / one.mean_confidence) if one.mean_confidence else 1
        before = record.share(record.taken_for.get((one.label, other), 0), one.label)
        worths.append((_either(seen, before), other))
    best = max(worths, default=None)
    return best if best and best[0] >= RIVAL else None


def _either(one: float, other: float) -> float:
    """Return the probability that at least one of two independent reasons holds."""
    return 1 - (1 - one) * (1 - other)


def _is_isolated(run: Run, one: Found, own: Sequence[PtsRange]) -> bool:
    if one.end_pts - one.start_pts > BRIEF_SECONDS / run.time_base:
        return False
    near = int(ISOLATED_SECONDS / run.time_base)
    return _meeting(own, one.start_pts - near, one.end_pts + near) == 1  # itself


def _meeting(own: Sequence[PtsRange], start_pts: int, end_pts: int) -> int:
    """Return how many of a label's ranges, ascending, overlap a half-open one."""
    before_end = bisect_left(own, end_pts, key=lambda one: one[0])
    return before_end - bisect_right(own, start_pts, key=lambda one: one[1])


def _missed(run: Run, label: str, own: Sequence[PtsRange]) -> Iterator[Doubt]:
    """Yield stretches in which a label stays between its offset and its onset, unreported."""
    onset, offset = run.rules.thresholds(label)
    likely = sorted(pts for pts, sure in run.confidences[label].items() if sure >= offset)
    untold = [pts for pts in likely if not holds(own, pts)]
    places = [bisect_left(run.sampled_pts, pts) for pts in untold]
    first = 0
    for index, place in enumerate(places):
        if index + 1 == len(places) or places[index + 1] != place + 1:
            if index - first + 1 >= FEWEST_LOOKS:
                yield _stretch(run, label, places[first : index + 1], onset)
            first = index + 1


def _stretch(run: Run, label: str, places: Sequence[int], onset: float) -> Doubt:
    """Return a doubt over successive samples, given by their indices."""
    pts = [run.sampled_pts[place] for place in places]
    after = places[-1] + 1
    end_pts = run.sampled_pts[after] if after < len(run.sampled_pts) else pts[-1] + 1
    mean = run.mean(label, pts)
    worth = min(1.0, mean / onset)
    return Doubt(Kind.MISSED, label, pts[0], end_pts, pts[len(pts) // 2], mean, worth)
