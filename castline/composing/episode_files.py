"""Write an episode file from pictures, and the file of its truth."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from timeline.scoring.truth import LabelledRange, write_truth

if TYPE_CHECKING:
    from model.scenes.seen import Picture


def write_episode(
    output: Path,
    pictures: Iterable["Picture"],
    frame_rate: Fraction,
    truth: Iterable[tuple[str, Fraction, Fraction]],
) -> Path:
    """Write pictures as an episode, and its truth beside it.

    Args:
        output: The .mp4 file to write.
        pictures: Pictures (height, width, 3) RGB.
        frame_rate: Frames per second.
        truth: Label, start and end in seconds; ranges are half-open.

    Returns:
        The truth file.
    """
    from ingest.frames.write_video import write_video

    write_video(output, pictures, frame_rate)
    path = truth_file_of(output)
    write_truth(path, [LabelledRange(*each) for each in truth])
    return path


def truth_file_of(episode: Path) -> Path:
    """Return the path of a composed or drawn episode's truth."""
    return episode.with_name(f"{episode.name}.truth.csv")
