"""Which frames are worth a person's time: those of doubt and of many, each unlike the others."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from castline.stills.seen_frames import SeenFrame
from model.inference.classifier import Prediction
from model.pictures.near_duplicates import has_near_twin
from model.version.artifact import ModelVersion
from timeline.appearances.rules import Rules
from worker.parameters import RunParameters

Choice = Callable[[list[SeenFrame]], list[SeenFrame]]
"""Which of the frames are written, in their order."""


def all_of_them(frames: list[SeenFrame]) -> list[SeenFrame]:
    """Chooses every frame, in the order of episodes and of time."""
    return frames


def worthiest(version: ModelVersion, most: int) -> Choice:
    """Gives the choice of those frames that are worth most to mend, worthiest first.

    A frame in which the model sees nobody, however unsurely, is none of them.

    Args:
        version: Whose labels have thresholds.
        most: How many frames.
    """
    rules = RunParameters.for_model(version.manifest).rules

    def choose(frames: list[SeenFrame]) -> list[SeenFrame]:
        peopled = [frame for frame in frames if frame.predictions]
        hashes = np.array([frame.hash for frame in peopled], np.uint64).reshape(-1, 4)
        worths = [worth(frame.predictions, rules) for frame in peopled]
        return [peopled[index] for index in most_worthy(worths, hashes, most)]

    return choose


def worth(predictions: Sequence[Prediction], rules: Rules) -> float:
    """Says how much there is to mend in a frame: its doubt plus its crowd, from 0 to below 2.

    The doubt is that of the most doubtful label: 1 where its confidence is the label's onset, and
    from there straight down to 0 at the confidences 0 and 1. With n labels from their onsets up,
    the crowd is 1 - 1/n: 0 of one, 1/2 of two, 2/3 of three; 0 of none, too. So each further one
    counts, and counts less, and no crowd of sure ones comes before one label in full doubt.

    Args:
        predictions: Of the frame.
        rules: With the onset of each label.
    """
    doubt, seen = 0.0, 0
    for found in predictions:
        onset, _ = rules.thresholds(found.label)
        if found.confidence < onset:
            doubt = max(doubt, found.confidence / onset)
        else:
            seen += 1
            doubt = max(doubt, (1 - found.confidence) / (1 - onset) if onset < 1 else 1.0)
    return doubt + 1 - 1 / max(seen, 1)


def most_worthy(worths: Sequence[float], hashes: NDArray[np.uint64], most: int) -> list[int]:
    """Chooses frames, the worthiest first; none is a near-duplicate of one before it.

    Args:
        worths: Of each frame; of equal ones the earlier comes first.
        hashes: (frames, 4), see `model.pictures.near_duplicates`.
        most: How many at most.

    Returns:
        Their indices.
    """
    chosen: list[int] = []
    for index in sorted(range(len(worths)), key=lambda index: -worths[index]):
        if len(chosen) == most:
            break
        if not has_near_twin(hashes[[index]], hashes[chosen])[0]:
            chosen.append(index)
    return chosen
