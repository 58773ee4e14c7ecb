"""Bounding boxes of labelled stills: as annotated, and as corrected by a network.

Most stills have labels without boxes, and hastily drawn boxes miss the heads. A network that has
been trained on both for a while knows better: where it confidently detects a label of the still,
that position becomes a pseudo-label (self-training: Lee, Pseudo-Label, 2013; Zoph et al.,
Rethinking Pre-training and Self-training, 2020). For other labels only their absence is used,
because a detection that no label confirms may be an unknown character.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from model.dataset.stills import Stills
from model.inference.confidence import sigmoid
from model.inference.places import as_shares, most_likely_places
from model.labels import known_labels
from model.pictures.preprocess import WholeFrame

SURE: Final = 1.0
"""Weight of a certain absence: everybody in the picture has a box, or was pasted."""

LIKELY: Final = 0.5
"""Weight of a likely absence: the still names one label, and others may be in the background."""

HASTY: Final = 0.4
"""Trust in a box of a still that is not annotated completely; one in twenty boxes of
`../shared/data/simpsons_boxes.csv` is misplaced, and many lie beside the head."""

_FOUND: Final = 0.3
"""Confidence, before calibration, from which a label of the still is placed where the network
detects it. It is low because the label is known to be there."""

_SOMEBODY: Final = 0.5
"""Trust in the most confident position in a still whose only label is not detected: somebody is
there, and no other label is given."""

_NOT_THERE: Final = 0.1
"""Confidence up to which another label is certainly absent."""

_MAYBE_THERE: Final = 0.9
"""Confidence from which another label may be present, so that its absence is ignored. Detections
below are mostly minor characters that look alike: this was the case for four in five of 68
inspected ones of 0.5 to 0.85 in training stills."""

SIDE_FIGURES: Final = 0.4
"""Share of the detections from `_MAYBE_THERE` up that are false: two in five of those inspected in
training stills."""

_SAME: Final = 0.5
"""Intersection over union from which two boxes are the same: the usual rule in object detection."""

_SLIM: Final = 1.1
"""Greatest aspect ratio (width / height) of a still that a figure mostly fills."""

_SAME_FIGURE: Final = 0.25
"""Intersection over union from which two boxes belong to one figure: to its head, and to more of
it."""

_COLUMNS: Final = 6  # of a box: label number, left, top, right, bottom, trust


@dataclass(frozen=True)
class Whereabouts:
    """The bounding boxes of n stills, and the certainty that other labels are absent."""

    boxes: NDArray[np.float32]
    """(boxes, 6) label number, left, top, right, bottom as shares, and trust; still after still."""
    ends: NDArray[np.int64]
    """(n,) index after the last box of each still."""
    absent: NDArray[np.float32]
    """(n, known labels) certainty that each label occurs only in these boxes: 0, LIKELY or SURE."""

    @classmethod
    def as_drawn(cls, stills: Stills) -> Self:
        """Return the boxes as they were annotated."""
        known = len(known_labels(stills.labels))
        given = [stills.boxes(still) for still in range(len(stills))]
        # annotators of complete stills looked for these labels only
        in_full = {
            int(box[0])
            for still in np.flatnonzero(stills.all_boxed)
            for box in given[still]
            if box[0] < known
        }
        absent = np.full((len(stills), known), LIKELY, np.float32)
        for label in in_full:
            absent[stills.all_boxed, label] = SURE
        trusts = np.where(stills.all_boxed, SURE, HASTY)
        return cls._of(
            [
                np.column_stack([boxes, np.full(len(boxes), trust)])
                for boxes, trust in zip(given, trusts, strict=True)
            ],
            absent,
        )

    @classmethod
    def certain(cls, stills: Stills) -> Self:
        """Return only certain boxes, for pictures whose ground truth must be correct.

        A completely annotated still keeps its boxes. Any other still with a single label gets one
        box, the whole picture, because its annotated box may be misplaced. A wide one gets none if
        its label has narrower stills: it shows a place rather than a figure. A still of `unknown`
        gets none if other stills have boxes of `unknown`: most such stills show no figure.
        """
        known = len(known_labels(stills.labels))
        drawn = cls.as_drawn(stills)
        alone = [len(labels) == 1 for labels in stills.label_sets] & ~stills.all_boxed
        slim = stills.sizes[:, 1] <= _SLIM * stills.sizes[:, 0]
        boxed = {
            int(box[0])
            for still in np.flatnonzero(stills.all_boxed).tolist()
            for box in drawn.of(still)
        }
        for label in np.unique(stills.label_numbers[alone]).tolist():
            of_label = alone & (stills.label_numbers == label)
            if label >= known and label in boxed:
                alone &= ~of_label
            elif (of_label & slim).any():
                alone &= ~of_label | slim
        nothing = np.empty((0, _COLUMNS), np.float32)
        whole = [
            np.array([[label, 0, 0, 1, 1, SURE]], np.float32)
            for label in stills.label_numbers.tolist()
        ]
        return cls._of(
            [
                drawn.of(still)
                if stills.all_boxed[still]
                else (whole[still] if alone[still] else nothing)
                for still in range(len(stills))
            ],
            drawn.absent,
        )

    @classmethod
    def _of(cls, by_still: list[NDArray[Any]], absent: NDArray[np.float32]) -> Self:
        ends = np.cumsum([len(boxes) for boxes in by_still], dtype=np.int64)
        nothing = np.empty((0, _COLUMNS), np.float32)
        return cls(np.concatenate([nothing, *by_still]).astype(np.float32), ends, absent)

    def of(self, still: int) -> NDArray[np.float32]:
        """Return a still's boxes (n, 6)."""
        return self.boxes[self.ends[still - 1] if still else 0 : self.ends[still]]

    def state(self) -> Mapping[str, NDArray[Any]]:
        """Return all arrays by name, for a checkpoint."""
        return {"boxes": self.boxes, "ends": self.ends, "absent": self.absent}


def seen_by(
    answer: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    stills: Stills,
    drawn: Whereabouts,
    frame: WholeFrame,
    batch_size: int = 32,
) -> Whereabouts:
    """Return annotated boxes, corrected by a network's predictions.

    Args:
        answer: The network: maps pictures (n, height, width, 3) to the outputs that
            `model.inference.places` reads.
        stills: Stills as they are stored.
        drawn: Their annotated boxes.
        frame: The frame into which the network's input is fitted.
        batch_size: Pictures per forward pass.
    """
    by_still: list[NDArray[Any]] = []
    absent = np.zeros_like(drawn.absent)
    for start in range(0, len(stills), batch_size):
        indices = range(start, min(start + batch_size, len(stills)))
        pictures = np.stack([frame.preprocess(stills.picture(index)) for index in indices])
        places = most_likely_places(answer(pictures))
        for row, index in enumerate(indices):
            confidences = sigmoid(places.logits[row])
            height, width = map(int, stills.sizes[index])
            corners = as_shares(places.boxes[row], frame.area(height, width))
            boxes = _corrected(stills, drawn, index, confidences, corners)
            by_still.append(boxes)
            absent[index] = _absence_of_others(confidences, corners, boxes)
            # the still's own labels have known positions and are nowhere else
            own = np.unique(boxes[:, 0].astype(int))
            own = own[own < absent.shape[1]]
            absent[index, own] = SURE if stills.all_boxed[index] else LIKELY
            if stills.all_boxed[index]:
                absent[index] = np.maximum(absent[index], drawn.absent[index] == SURE)
    return Whereabouts._of(by_still, absent)  # noqa: SLF001 - its own


def _corrected(
    stills: Stills,
    drawn: Whereabouts,
    still: int,
    confidences: NDArray[np.float64],
    corners: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return a still's boxes (n, 6): complete annotations, or the positions of detected labels."""
    given = drawn.of(still)
    if stills.all_boxed[still]:
        return given
    placed = []
    for label in stills.label_sets[still]:
        own = given[given[:, 0] == label]
        if label >= len(confidences):
            continue
        if confidences[label] >= _FOUND:
            placed += _confirmed(own, label, corners[label])
        elif len(own) or len(stills.label_sets[still]) > 1:
            placed += list(own)
        else:
            surest = int(confidences.argmax())
            if confidences[surest] >= _FOUND:
                placed += _box_of(label, corners[surest], _SOMEBODY)
    return np.array(placed, np.float32).reshape(-1, _COLUMNS)


def _confirmed(
    own: NDArray[np.float32], label: int, corners: NDArray[np.float64]
) -> list[NDArray[Any]]:
    """Return the annotated box of a label that matches the detection, or the detected box."""
    for box in own:
        if _overlap(box[1:5], corners) >= _SAME:
            return [np.array([*box[:5], SURE])]
    return _box_of(label, corners, SURE)


def _box_of(label: int, corners: NDArray[np.float64], trust: float) -> list[NDArray[Any]]:
    return [np.array([label, *corners, trust])] if _area(corners) > 0 else []


def _absence_of_others(
    confidences: NDArray[np.float64], corners: NDArray[np.float64], boxes: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the certainty (labels,) that each label is absent beside the labels of these boxes."""
    absent = np.where(confidences <= _NOT_THERE, SURE, LIKELY)
    for label in np.flatnonzero(confidences > _NOT_THERE):
        # a detection at the position of the still's own label is a confusion with it
        if any(_overlap(box[1:5], corners[label]) >= _SAME_FIGURE for box in boxes):
            absent[label] = SURE
        elif confidences[label] > _MAYBE_THERE:
            absent[label] = 0.0
    return absent


def _overlap(box: NDArray[Any], other: NDArray[Any]) -> float:
    """Return the intersection over union of two boxes (left, top, right, bottom)."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    both = max(0.0, width) * max(0.0, height)
    return float(both / max(_area(box) + _area(other) - both, 1e-9))


def _area(box: NDArray[Any]) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))
