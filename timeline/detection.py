"""Average precision of appearances as detections in time, as ActivityNet measures them.

An appearance is right if it overlaps a true one of its label that no surer one has taken, by a
temporal IoU (seconds in both over seconds in either) of at least a threshold. (F. Caba Heilbron et
al., "ActivityNet", CVPR 2015; precision is interpolated as in PASCAL VOC 2010.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from timeline.identification import Seconds, label_sets
from timeline.truth import LabelledRange

THRESHOLDS = tuple(Fraction(percent, 100) for percent in range(50, 100, 5))
"""0.5 to 0.95 in steps of 0.05."""


@dataclass(frozen=True, slots=True)
class Detection:
    """An appearance that was found, and how sure it is."""

    range: LabelledRange
    confidence: float


def mean_average_precision(
    truth: Sequence[LabelledRange], found: Sequence[Detection], threshold: Fraction
) -> float | None:
    """The mean over the labels of the truth; None if it has none."""
    true_sets = label_sets(truth)
    if not true_sets:
        return None
    return sum(
        average_precision(ranges, [each for each in found if each.range.label == label], threshold)
        for label, ranges in true_sets.items()
    ) / len(true_sets)


def average_precision(
    truth: Sequence[Seconds], found: Sequence[Detection], threshold: Fraction
) -> float:
    """The area under the interpolated curve of precision over recall, of one label.

    Args:
        truth: what is, at least one range.
        found: appearances of the label.
        threshold: the least IoU.
    """
    taken: set[int] = set()
    right: list[bool] = []
    for each in sorted(found, key=lambda one: (-one.confidence, one.range.start_seconds)):
        free = [(_iou(each.range, truth[i]), -i) for i in range(len(truth)) if i not in taken]
        best, place = max(free, default=(Fraction(0), 0))
        right.append(best >= threshold)
        if best >= threshold:
            taken.add(-place)
    precisions = [sum(right[: count + 1]) / (count + 1) for count in range(len(right))]
    # Each true range that is found adds its share of the recall, at the best precision from there.
    return sum(max(precisions[i:]) for i in range(len(right)) if right[i]) / len(truth)


def _iou(found: LabelledRange, true: Seconds) -> Fraction:
    start, end = true
    both = min(found.end_seconds, end) - max(found.start_seconds, start)
    either = max(found.end_seconds, end) - min(found.start_seconds, start)
    return both / either if both > 0 else Fraction(0)
