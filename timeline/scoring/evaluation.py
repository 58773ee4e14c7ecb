"""All metrics of a timeline against a truth; docs/how-to/measuring.md explains them."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction

from exact.ranges import rank
from timeline.scoring.borders import BorderErrors, border_errors
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
"""Limits between short, medium and long shots: shots of animated series mostly last 1.5 to 5 s."""

MANY = 3
"""From this number of characters on screen they are counted together."""


@dataclass(frozen=True, slots=True)
class ScreenTimeError:
    """The true and the found screen time of a label."""

    label: str
    true_seconds: Fraction
    found_seconds: Fraction

    @property
    def difference(self) -> Fraction:
        """Found minus true screen time: above 0 if too much was found."""
        return self.found_seconds - self.true_seconds


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The agreement of found appearances with a truth."""

    frames: Score
    by_number_on_screen: dict[str, Score]
    by_shot_length: dict[str, Score]
    errors: IdentificationErrors
    average_precision_50: float | None
    """Average precision at a temporal IoU of 0.5, mean over labels; None where the truth has no
    label."""
    average_precision_50_95: float | None
    """The same as a mean over THRESHOLDS."""
    borders: BorderErrors
    screen_time: tuple[ScreenTimeError, ...]
    """By label."""

    @property
    def screen_time_error(self) -> float | None:
        """Seconds too much or too little of all labels over the true seconds; None without any."""
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
    """Compare the appearances found in an episode with the truth.

    Args:
        truth: The true ranges; an empty label says that no known character is on screen.
        found: The appearances.
        duration_seconds: Duration of the episode.
        frame_rate: Frame rate at which samples are counted.
        collar_seconds: Width of the unscored time around each true border, half before, half after.
            Average precision, borders and screen time ignore the collar.

    Returns:
        All metrics.
    """
    ranges = [each.range for each in found]
    scored = scored_seconds(truth, duration_seconds, collar_seconds)
    count = round(duration_seconds * frame_rate)
    # In the middle of each frame's time on screen, because containers round frame times.
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
        borders=border_errors(true_sets, found_sets, duration_seconds),
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
    """Return the score of the frames of each class, given each frame's class and labels."""
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
    """Return a function from a time to the class of its shot, between borders of the truth file."""
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
