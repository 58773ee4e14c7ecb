"""All figures of a timeline beside a truth; docs/scoring.md says what each means."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction

from exact.ranges import rank
from timeline.scoring.detection import THRESHOLDS, Detection, mean_average_precision
from timeline.scoring.identification import (
    IdentificationErrors,
    Seconds,
    identification_errors,
    label_sets,
    scored_seconds,
)
from timeline.scoring.score import Score, labels_at, score_samples
from timeline.scoring.truth import LabelledRange

SHOT_SECONDS = (2, 4)
"""Where short shots end and long ones begin: shots of animated series mostly last 1.5 to 5 s."""

MANY = 3
"""From so many characters on screen they are counted together."""


@dataclass(frozen=True, slots=True)
class ScreenTimeError:
    """How long a label is on screen, and was found to be."""

    label: str
    true_seconds: Fraction
    found_seconds: Fraction

    @property
    def difference(self) -> Fraction:
        """More than 0: too much was found."""
        return self.found_seconds - self.true_seconds


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well found appearances agree with a truth."""

    frames: Score
    by_number_on_screen: dict[str, Score]
    by_shot_length: dict[str, Score]
    errors: IdentificationErrors
    average_precision_50: float | None
    """At a temporal IoU of 0.5, mean over labels; None where the truth has no label."""
    average_precision_50_95: float | None
    """Mean over THRESHOLDS, too."""
    screen_time: tuple[ScreenTimeError, ...]
    """By label."""

    @property
    def screen_time_error(self) -> float | None:
        """Seconds too much and too little of all labels over the true seconds; None of nothing."""
        true = sum(each.true_seconds for each in self.screen_time)
        return (
            float(sum(abs(each.difference) for each in self.screen_time) / true) if true else None
        )


def evaluate_timeline(
    truth: Sequence[LabelledRange],
    found: Sequence[Detection],
    duration_seconds: Fraction,
    frame_rate: Fraction,
    collar_seconds: Fraction = Fraction(0),
) -> Evaluation:
    """Compare what was found in an episode with what is.

    Args:
        truth: what is; ranges with an empty label say that nobody known is on screen.
        found: the appearances.
        duration_seconds: of the episode.
        frame_rate: whose frames are counted.
        collar_seconds: so much around each true border is not scored, half before, half after; of
            average precision and screen time everything is.
    """
    ranges = [each.range for each in found]
    scored = scored_seconds(truth, duration_seconds, collar_seconds)
    count = round(duration_seconds * frame_rate)
    # In the middle of its time on screen, for containers round the times at which frames start.
    middles = [(number + Fraction(1, 2)) / frame_rate for number in range(count)]
    frames = _within(middles, scored)
    true_sets, found_sets = label_sets(truth), label_sets(ranges)
    there, seen = labels_at(frames, true_sets), labels_at(frames, found_sets)
    shot_length = _shot_length(truth, duration_seconds)
    precisions = [mean_average_precision(true_sets, found, threshold) for threshold in THRESHOLDS]
    known = [precision for precision in precisions if precision is not None]
    return Evaluation(
        frames=score_samples(there, seen),
        by_number_on_screen=_broken_down(there, seen, [*map(_number_on_screen, there)]),
        by_shot_length=_broken_down(there, seen, [*map(shot_length, frames)]),
        errors=identification_errors(truth, ranges, scored),
        average_precision_50=precisions[0],
        average_precision_50_95=sum(known) / len(known) if known else None,
        screen_time=_screen_time(true_sets, found_sets),
    )


def _within(times: Sequence[Fraction], scored: Sequence[Seconds]) -> list[Fraction]:
    return [
        time
        for start, end in scored
        for time in times[bisect_left(times, start) : bisect_left(times, end)]
    ]


def _broken_down(
    there: Sequence[Set[str]], seen: Sequence[Set[str]], classes: Sequence[str]
) -> dict[str, Score]:
    """The score of the frames of each class, given each frame's class and labels."""
    members: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(classes):
        members[name].append(number)
    return {
        name: score_samples([there[i] for i in members[name]], [seen[i] for i in members[name]])
        for name in sorted(members)
    }


def _number_on_screen(labels: Set[str]) -> str:
    """`0`, `1`, `2` or `3+`."""
    return f"{MANY}+" if len(labels) >= MANY else str(len(labels))


def _shot_length(
    truth: Sequence[LabelledRange], duration_seconds: Fraction
) -> Callable[[Fraction], str]:
    """The class of the shot at a time: from one border of the truth file to the next."""
    borders = sorted(
        {
            Fraction(0),
            duration_seconds,
            *(border for each in truth for border in (each.start_seconds, each.end_seconds)),
        },
        key=rank,
    )
    ranks = [*map(rank, borders)]
    short, long = SHOT_SECONDS

    def class_of(time: Fraction) -> str:
        after = bisect_right(ranks, rank(time))
        seconds = borders[min(after, len(borders) - 1)] - borders[after - 1]
        if seconds < short:
            return f"under {short} s"
        return f"{short} to {long} s" if seconds < long else f"{long} s and more"

    return class_of


def _screen_time(
    there: Mapping[str, Sequence[Seconds]], seen: Mapping[str, Sequence[Seconds]]
) -> tuple[ScreenTimeError, ...]:
    return tuple(
        ScreenTimeError(label, _seconds(there.get(label, [])), _seconds(seen.get(label, [])))
        for label in sorted({*there, *seen})
    )


def _seconds(ranges: Sequence[Seconds]) -> Fraction:
    return sum((end - start for start, end in ranges), Fraction(0))
