"""Turn tags into appearances: the ranges during which each label is on screen.

The rule is the one that speech research uses to turn scores into ranges (Gelly and Gauvain,
"Minimum Word Error Training of RNN-based Voice Activity Detection", Interspeech 2015): a label
becomes active at a high confidence and stays active until a lower one, short gaps are filled, and
ranges that are still short are dropped. Where cuts are known, this is done shot by shot.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from math import fsum

from exact.place import Place
from exact.ranges import PtsRange
from timeline.appearances.following import (
    Durations,
    Followed,
    Run,
    Sight,
    Sights,
    active_runs,
    runs_in_shot,
)
from timeline.appearances.looks import Look, looks_at
from timeline.appearances.rules import Rules
from timeline.errors import TimelineError


@dataclass(frozen=True, slots=True)
class Tag:
    """The classifier's confidence that a label is in the frame at `pts`."""

    pts: int
    label: str
    confidence: float
    """Calibrated confidence, 0 to 1."""
    place: Place | None = None
    """Place of the label; None where the classifier gives no places."""

    def __post_init__(self) -> None:
        if not self.label:
            raise TimelineError(f"tag at pts {self.pts}: its label is empty; give it a label")
        if not 0 <= self.confidence <= 1:
            raise TimelineError(
                f"tag {self.label} at pts {self.pts}: confidence {self.confidence} must be 0 to 1"
            )


@dataclass(frozen=True, slots=True)
class Appearance:
    """A label over the half-open range `start_pts <= pts < end_pts`."""

    label: str
    start_pts: int
    end_pts: int
    frames: int
    """Number of frames inside with a tag of the label."""
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
    cuts: Sequence[int] | None = None,
) -> list[Appearance]:
    """Join the tags of each label into appearances.

    A sampled frame represents its shot, as described in `timeline.appearances.looks`; without cuts,
    it represents the time from its own pts to the next sampled frame, missing range or the end,
    whichever comes first. A frame in a missing range represents nothing. A label without a tag for
    a frame has confidence 0. No appearance spans a missing range: it ends where the range starts,
    and after the range only the onset starts a new one.

    With cuts each shot is decided separately, by `timeline.appearances.following`, so that after a
    cut, too, only the onset starts an appearance. Then appearances that continue across cuts are
    joined, and short gaps are filled, unless they contain a whole examined shot.

    Args:
        tags: Tags in any order; of several for one frame and label the most confident counts.
        sampled_pts: The pts of all examined frames, ascending.
        end_pts: When the last sampled frame ends.
        time_base: Seconds per pts unit.
        rules: Thresholds and durations.
        missing: Half-open ranges that could not be examined, in any order.
        cuts: The first frames of shots, ascending; None where they were not sought. They count only
            if the rules include rules for shots.

    Returns:
        Appearances by start, then label.

    Raises:
        TimelineError: A tag for a frame that was not sampled, samples or cuts out of order, an
            empty missing range or a time base that is not positive.
    """
    _check_samples(sampled_pts, end_pts, time_base)
    looks = looks_at(sampled_pts, end_pts, missing, None if rules.shots is None else cuts)
    labels = _by_label(tags, sampled_pts)
    others = _on_screen(labels, rules)
    durations = Durations.of(rules, time_base)
    shots = None if rules.shots is None or cuts is None else _Shots(looks)
    found: list[Appearance] = []
    for label, sights in labels.items():
        followed = Followed(sights, others, label, durations, rules)
        runs = _without_cuts(looks, followed) if shots is None else _with_cuts(shots, followed)
        found.extend(_appearance(looks, run, followed) for run in runs)
    return sorted(found, key=lambda appearance: (appearance.start_pts, appearance.label))


def _without_cuts(looks: Sequence[Look], label: Followed) -> Iterator[Run]:
    # 1. Hysteresis, 2. fill short gaps, 3. drop short appearances.
    runs = active_runs(looks, label.sights, *label.rules.thresholds(label.label))
    for first, last in _joined(looks, runs, label):
        if looks[last].until_pts - looks[first].pts >= label.durations.shortest_pts:
            yield first, last


class _Shots:
    """All looks, shot by shot."""

    def __init__(self, looks: Sequence[Look]) -> None:
        self.looks = looks
        groups = (list(group) for _, group in groupby(looks, key=lambda look: look.shot))
        self._shots: list[tuple[int, list[Look]]] = []
        self._shot_of: dict[int, int] = {}  # by the number of a look
        start = 0
        for group in groups:
            self._shot_of.update((look.number, len(self._shots)) for look in group)
            self._shots.append((start, group))
            start += len(group)

    def seen(self, sights: Sights) -> Iterator[tuple[int, list[Look]]]:
        """Yield the shots with a sight: the index of the first look, and the looks."""
        for number in sorted({self._shot_of[each] for each in sights if each in self._shot_of}):
            yield self._shots[number]


def _with_cuts(shots: _Shots, label: Followed) -> Iterator[Run]:
    # 1. Shot by shot, 2. join what goes on across cuts, and fill short gaps.
    assert label.rules.shots is not None
    runs: list[Run] = []
    for start, shot in shots.seen(label.sights):
        runs += (
            (start + first, start + last)
            for first, last in runs_in_shot(shot, label, label.rules.shots)
        )
    return _joined(shots.looks, runs, label)


def _joined(looks: Sequence[Look], runs: Iterable[Run], label: Followed) -> Iterator[Run]:
    """Join runs that follow each other or have a short gap between them."""
    filled_pts = label.durations.filled_pts
    current: Run | None = None
    for first, last in runs:
        if current is not None and _is_bridged(looks, current[1], first, filled_pts):
            current = current[0], last
            continue
        if current is not None:
            yield current
        current = first, last
    if current is not None:
        yield current


def _is_bridged(looks: Sequence[Look], last: int, first: int, filled_pts: int) -> bool:
    between = range(last + 1, first + 1)
    if first == last + 1:  # there are cuts between the two; a shot between them was not examined
        gap = looks[first].start_pts - looks[last].end_pts
        return looks[first].follows and (gap == 0 or gap < filled_pts)
    if looks[first].pts - looks[last].until_pts >= filled_pts:
        return False
    own_shots = looks[last].shot, looks[first].shot
    return all(looks[i].follows for i in between) and all(
        looks[i].shot in own_shots for i in between
    )


def _appearance(looks: Sequence[Look], run: Run, label: Followed) -> Appearance:
    inside = [
        label.sights[look.number].confidence
        for look in looks[run[0] : run[1] + 1]
        if look.number in label.sights
    ]
    largest = max(inside)
    # The mean of equal numbers may come out one rounding above them.
    mean = min(fsum(inside) / len(inside), largest)
    start_pts, end_pts = looks[run[0]].start_pts, looks[run[1]].end_pts
    return Appearance(label.label, start_pts, end_pts, len(inside), mean, largest)


def _by_label(tags: Sequence[Tag], sampled_pts: Sequence[int]) -> dict[str, dict[int, Sight]]:
    """Group tags by label, then by frame number (the index into sampled_pts)."""
    number = {pts: i for i, pts in enumerate(sampled_pts)}
    by_label: dict[str, dict[int, Sight]] = defaultdict(dict)
    for tag in tags:
        if tag.pts not in number:
            raise TimelineError(
                f"tag {tag.label} at pts {tag.pts}: no frame was sampled there; "
                "pass every frame that was looked at"
            )
        sights, i = by_label[tag.label], number[tag.pts]
        if i not in sights or sights[i].confidence < tag.confidence:
            sights[i] = Sight(tag.confidence, tag.place)
    return by_label


def _on_screen(
    labels: Mapping[str, Mapping[int, Sight]], rules: Rules
) -> dict[int, list[tuple[str, Place]]]:
    """Return the labels that reach their onset, with their places, by frame number."""
    found: dict[int, list[tuple[str, Place]]] = defaultdict(list)
    for label, sights in labels.items():
        onset, _ = rules.thresholds(label)
        for number, sight in sights.items():
            if sight.place is not None and sight.confidence >= onset:
                found[number].append((label, sight.place))
    return found


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
