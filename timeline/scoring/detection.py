"""Average precision of appearances as temporal detections, as defined by ActivityNet.

An appearance is correct if it overlaps a true one of its label that no more confident appearance
has matched, with a temporal IoU (seconds in both over seconds in either) of at least a threshold.
(F. Caba Heilbron et al., "ActivityNet", CVPR 2015; precision is interpolated as in PASCAL VOC
2010.)
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from timeline.scoring.identification import Seconds
from timeline.scoring.truth import LabelledRange

THRESHOLDS = tuple(Fraction(percent, 100) for percent in range(50, 100, 5))
"""0.5 to 0.95 in steps of 0.05."""


@dataclass(frozen=True, slots=True)
class Detection:
    """An appearance found, with its confidence."""

    range: LabelledRange
    confidence: float


def mean_average_precision(
    true_sets: Mapping[str, Sequence[Seconds]], found: Sequence[Detection], threshold: Fraction
) -> float | None:
    """Return the mean over the labels of the truth, given by `label_sets`; None if it has none."""
    if not true_sets:
        return None
    by_label: dict[str, list[Detection]] = defaultdict(list)
    for each in found:
        by_label[each.range.label].append(each)
    return sum(
        average_precision(ranges, by_label[label], threshold) for label, ranges in true_sets.items()
    ) / len(true_sets)


def average_precision(
    truth: Sequence[Seconds], found: Sequence[Detection], threshold: Fraction
) -> float:
    """Return the area under the interpolated precision-recall curve of one label.

    Args:
        truth: The true ranges, at least one; ascending, none overlaps another.
        found: Appearances of the label.
        threshold: The least IoU.
    """
    starts, ends = [start for start, _ in truth], [end for _, end in truth]
    taken: set[int] = set()
    right: list[bool] = []
    for each in sorted(found, key=lambda one: (-one.confidence, one.range.start_seconds)):
        overlapping = range(
            bisect_right(ends, each.range.start_seconds),
            bisect_left(starts, each.range.end_seconds),
        )
        found_seconds = each.range.start_seconds, each.range.end_seconds
        free = [(iou(found_seconds, truth[i]), -i) for i in overlapping if i not in taken]
        best, place = max(free, default=(Fraction(0), 0))
        right.append(best >= threshold)
        if best >= threshold:
            taken.add(-place)
    precisions = [hits / count for count, hits in enumerate(accumulate(right), start=1)]
    # Each true range that is found adds its share of the recall, at the best precision from there.
    best_from = [*accumulate(reversed(precisions), max)][::-1]
    return sum(best for best, is_right in zip(best_from, right, strict=True) if is_right) / len(
        truth
    )


def iou(one: Seconds, other: Seconds) -> Fraction:
    """Return the temporal IoU of two ranges: the seconds in both over the seconds in either."""
    both = min(one[1], other[1]) - max(one[0], other[0])
    either = max(one[1], other[1]) - min(one[0], other[0])
    return both / either if both > 0 else Fraction(0)
