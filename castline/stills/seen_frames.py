"""Frames at random moments as a dense network sees them, without their pixels."""

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
"""As its comment tells; the full picture among regions is another still."""


@dataclass(frozen=True)
class SeenFrame:
    """A frame, and whom a network sees in it."""

    episode: OpenedEpisode
    chunk: ChunkRange
    pts: int
    predictions: tuple[Prediction, ...]
    """Those with a place."""
    hash: NDArray[np.uint64]
    """(4,), see `model.pictures.near_duplicates`."""

    @property
    def key(self) -> tuple[str, str, str]:
        """As pictures' comments tell it."""
        return self.episode.probe.sha256, self.episode.moment(self.pts), WHOLE_FRAME


def look_at_frames(
    source: MomentFrames,
    classifier: Classifier,
    paths: Sequence[Path],
    seed: int,
    on_progress: Progress,
) -> list[SeenFrame]:
    """Looks at the frames of episodes at random moments, at none of them twice.

    Args:
        source: Of the frames.
        classifier: Of a dense network.
        paths: The episodes.
        seed: Of the moments.
        on_progress: Called after each chunk.

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
