"""Frames at random times with the predictions of a dense network, without their pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castline.stills.moments import MomentFrames, OpenedEpisode
from ingest.frames.chunks import ChunkRange
from model.inference.classifier import Classifier, Prediction
from model.pictures.near_duplicates import difference_hash
from model.progress import Progress

WHOLE_FRAME = "whole frame"
"""Name of the part in comments; the full picture among regions is another still."""


@dataclass(frozen=True)
class SeenFrame:
    """A frame with the predictions for it."""

    episode: OpenedEpisode
    chunk: ChunkRange
    pts: int
    predictions: tuple[Prediction, ...]
    """Predictions with a place."""
    hash: NDArray[np.uint64]
    """Hash of shape (4,), see `model.pictures.near_duplicates`."""

    @property
    def key(self) -> tuple[str, str, str]:
        """The key of the frame in the comments of pictures."""
        return self.episode.probe.sha256, self.episode.moment(self.pts), WHOLE_FRAME


def look_at_frames(
    source: MomentFrames,
    classifier: Classifier,
    paths: Sequence[Path],
    seed: int,
    on_progress: Progress,
) -> list[SeenFrame]:
    """Classify the frames of episodes at random times, each frame once.

    Args:
        source: Reads the frames.
        classifier: A classifier with a dense network.
        paths: The episodes.
        seed: Seed of the random times.
        on_progress: Called after each chunk.

    Returns:
        The frames with their predictions.

    Raises:
        IngestError: An episode cannot be used.
    """
    seen: dict[tuple[str, str, str], SeenFrame] = {}
    for path in paths:
        episode = source.open(path)
        for chunk, frames in source.at_random(episode, seed, on_progress):
            answers = classifier.classify([frame.picture for frame in frames])
            for frame, predictions in zip(frames, answers, strict=True):
                placed = tuple(found for found in predictions if found.place is not None)
                hashed = difference_hash(frame.picture)
                one = SeenFrame(episode, chunk, frame.pts, placed, hashed)
                seen.setdefault(one.key, one)
    return list(seen.values())
