"""Errors of borders: how early or late the appearances that were found start and end.

A found appearance is compared with the true one that it overlaps with a temporal IoU above one
half: at most one, since neither the true nor the found ranges of a label overlap each other (as for
regions in A. Kirillov et al., "Panoptic Segmentation", CVPR 2019).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from timeline.scoring.detection import iou
from timeline.scoring.identification import Seconds

LEAST_IOU = Fraction(1, 2)
"""Ranges match above this."""


@dataclass(frozen=True, slots=True)
class BorderErrors:
    """The errors of the borders of all appearances that match a true one."""

    borders: int
    """True borders, except the episode's own start and end, which are always exact."""
    seconds: tuple[Fraction, ...]
    """Absolute errors of the borders with a match, ascending."""

    @property
    def median_seconds(self) -> float | None:
        """The median of the errors; None without any."""
        return self.percentile_seconds(50)

    def percentile_seconds(self, percent: int) -> float | None:
        """Return the least error that `percent` of the errors do not exceed; None without any."""
        if not self.seconds:
            return None
        return float(self.seconds[ceil(len(self.seconds) * percent / 100) - 1])


def border_errors(
    true_sets: Mapping[str, Sequence[Seconds]],
    found_sets: Mapping[str, Sequence[Seconds]],
    duration_seconds: Fraction,
) -> BorderErrors:
    """Compare the borders of found appearances with the true ones.

    Args:
        true_sets: The true ranges of each label, as `label_sets` gives them.
        found_sets: The found ranges of each label.
        duration_seconds: Duration of the episode.
    """
    borders = 0
    errors: list[Fraction] = []
    for label, ranges in true_sets.items():
        borders += sum(_is_inside(border, duration_seconds) for each in ranges for border in each)
        for true, found in _matches(ranges, found_sets.get(label, ())):
            errors += (
                abs(seen - there)
                for there, seen in zip(true, found, strict=True)
                if _is_inside(there, duration_seconds)
            )
    return BorderErrors(borders, tuple(sorted(errors)))


def _matches(
    true: Sequence[Seconds], found: Sequence[Seconds]
) -> Iterator[tuple[Seconds, Seconds]]:
    """Yield the true ranges with a match, and the match; both are ascending sets."""
    starts, ends = [start for start, _ in found], [end for _, end in found]
    for each in true:
        overlapping = slice(bisect_right(ends, each[0]), bisect_left(starts, each[1]))
        yield from ((each, other) for other in found[overlapping] if iou(other, each) > LEAST_IOU)


def _is_inside(border: Fraction, duration_seconds: Fraction) -> bool:
    return 0 < border < duration_seconds
