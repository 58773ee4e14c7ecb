"""An episode file and the file of its truth, made of pictures."""

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
    """Writes pictures as an episode, and its truth beside it.

    Args:
        output: The .mp4 to make.
        pictures: Each (height, width, 3) RGB.
        frame_rate: How many are shown in a second.
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
    """The file that holds a composed or drawn episode's truth."""
    return episode.with_name(f"{episode.name}.truth.csv")
