"""Select the frames most worth correcting: doubtful, crowded and diverse ones."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from castline.stills.seen_frames import SeenFrame
from model.inference.classifier import Prediction
from model.pictures.near_duplicates import has_near_twin
from timeline.appearances.rules import Rules

Choice = Callable[[list[SeenFrame]], list[SeenFrame]]
"""Selects the frames to write, in their order."""


def all_of_them(frames: list[SeenFrame]) -> list[SeenFrame]:
    """Select every frame, ordered by episode and time."""
    return frames


def worthiest(rules: Rules, most: int) -> Choice:
    """Return the selection of the frames most worth correcting, the best first.

    A frame in which the model sees no character, however uncertain, is never selected.

    Args:
        rules: The thresholds in use.
        most: Number of frames.

    Returns:
        A function that selects frames.
    """

    def choose(frames: list[SeenFrame]) -> list[SeenFrame]:
        peopled = [frame for frame in frames if frame.predictions]
        hashes = np.array([frame.hash for frame in peopled], np.uint64).reshape(-1, 4)
        worths = [worth(frame.predictions, rules) for frame in peopled]
        return [peopled[index] for index in most_worthy(worths, hashes, most)]

    return choose


def worth(predictions: Sequence[Prediction], rules: Rules) -> float:
    """Return how much there is to correct in a frame: doubt plus crowd, from 0 to below 2.

    The doubt is that of the most doubtful label: 1 where its confidence equals the label's onset,
    and from there linearly down to 0 at the confidences 0 and 1. With n labels from their onsets
    up, the crowd is 1 - 1/n: 0 for one, 1/2 for two, 2/3 for three; also 0 for none. So each
    further label counts, but less and less, and no crowd of certain labels outranks one label in
    full doubt.

    Args:
        predictions: The predictions for the frame.
        rules: Rules with the onset of each label.

    Returns:
        The score.
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
    """Select frames, the highest score first, none a near-duplicate of an earlier one.

    Args:
        worths: The score of each frame; of equal ones the earlier comes first.
        hashes: (frames, 4), see `model.pictures.near_duplicates`.
        most: Maximum number.

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
