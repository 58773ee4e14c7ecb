"""Find black bars once per episode, and so the part of the frame that ever shows a picture.

A row or column belongs to a bar if it is dark in EVERY examined frame, so that neither a dark shot
nor a night scene is taken for a bar, and a single frame that fills the whole picture prevents the
cut. Noise, and a small amount of other content, is tolerated within a row.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from exact.picture_area import PictureArea
from ingest.frames.decoding import decode_all
from ingest.frames.packets import ChunkSource
from ingest.frames.picture import luma_plane
from ingest.media.file import MediaFile
from ingest.media.probe import Probe
from ingest.progress import Pulse, Report

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

FRAMES = 32
"""Frames to examine, spread over the episode: enough that several come from bright shots."""

MIN_BRIGHT_FRAMES = 5
"""With fewer frames that are not dark, the whole frame is kept."""

DARK_CODE = 16 + 20
"""Luma code values (of 8 bits, black at 16) up to this are dark: black, plus noise and the ringing
that compression leaves beside an edge."""

LINE_PERCENTILE = 95
"""Percentile that represents a row: a dust speck does not end a bar, a lamp does."""

BRIGHT_CODE = 16 + 40
"""A frame is bright if its 95th percentile is above this."""

MIN_BAR_SHARE = 0.01
"""Thinner dark edges are left alone: cutting them gains nothing."""

MIN_LEFT_SHARE = 0.3
"""Least share of each side to keep; otherwise nothing is cut. An upright phone video inside 16:9
leaves 32 %, the least of all formats in use."""

MAX_FRAMES_PER_KEY = 300
"""Frames to decode from one keyframe at most, so that an episode with few keyframes does not take
as long as its extraction."""

Levels = npt.NDArray[np.float64]
Luma = npt.NDArray[np.uint8]


def find_picture_area(
    probe: Probe, file: MediaFile, on_progress: Report | None = None
) -> PictureArea:
    """Find the active picture area of an episode; the whole frame if in doubt.

    Runs in the decoder process.

    Args:
        probe: The description of the episode.
        file: Its open file.
        on_progress: Takes the number of frames examined so far, every half second.

    Returns:
        The active picture area.

    Raises:
        VideoError: The file cannot be opened.
    """
    pulse = Pulse(on_progress)
    rows: list[Levels] = []
    columns: list[Levels] = []
    for number, luma in enumerate(_spread_lumas(probe, file)):
        pulse.beat(number)
        if luma.shape != (probe.height, probe.width):
            continue
        if np.percentile(luma[::4, ::4], LINE_PERCENTILE) > BRIGHT_CODE:
            # Every fourth sample across the line represents its brightness as well as all samples
            # do.
            rows.append(np.percentile(luma[:, ::4], LINE_PERCENTILE, axis=1))
            columns.append(np.percentile(luma[::4], LINE_PERCENTILE, axis=0))
    if len(rows) < MIN_BRIGHT_FRAMES:
        return probe.whole_frame
    return area_of_levels(np.max(rows, axis=0), np.max(columns, axis=0))


def area_of_levels(rows: Levels, columns: Levels) -> PictureArea:
    """Cut the dark lines at the edges.

    Args:
        rows: Float64 (height,), the greatest brightness of each row, as 8-bit luma code values.
        columns: Float64 (width,), the same for columns.

    Returns:
        The remaining area, without a cut in a direction in which too little would remain.
    """
    x, width = _span(columns)
    y, height = _span(rows)
    return PictureArea(x, y, width, height)


def _span(levels: Levels) -> tuple[int, int]:
    lit = np.flatnonzero(levels > DARK_CODE)
    if len(lit) == 0 or lit[-1] + 1 - lit[0] < MIN_LEFT_SHARE * len(levels):
        return 0, len(levels)
    least = MIN_BAR_SHARE * len(levels)
    start = int(lit[0]) if lit[0] >= least else 0
    end = int(lit[-1]) + 1 if len(levels) - lit[-1] - 1 >= least else len(levels)
    return start, end - start


def _spread_lumas(probe: Probe, file: MediaFile) -> Iterator[Luma]:
    """Yield the luma of frames spread over the episode, as uint8 (height, width) on display."""
    turns = round(probe.rotation / 90) % 4
    groups = groupby(_targets(probe), key=lambda target: bisect_right(probe.key_pts, target))
    for keys_before, targets in groups:
        start = probe.key_pts[keys_before - 1] if keys_before else probe.start_pts
        for frame in _frames_from(probe, file, start, list(targets)):
            yield np.rot90(_limited_luma(frame), turns)


def _targets(probe: Probe) -> list[int]:
    """Return evenly spread times; none at the very ends, which are often black."""
    span = probe.end_pts - probe.start_pts
    return [probe.start_pts + span * (2 * n + 1) // (2 * FRAMES) for n in range(FRAMES)]


def _frames_from(
    probe: Probe, file: MediaFile, start_pts: int, targets: list[int]
) -> Iterator["VideoFrame"]:
    """Yield one frame per target: the keyframe itself for a single one, else frames on the way."""
    if len(targets) == 1:
        targets = [start_pts]
    source = ChunkSource(
        file=file,
        time_base=probe.time_base,
        episode_start_pts=probe.start_pts,
        start_pts=start_pts,
        end_pts=max(targets) + 1,
        lag_pts=probe.lag_pts,
    )
    due = list(reversed(targets))
    for number, step in enumerate(decode_all(source)):
        if not due or number > MAX_FRAMES_PER_KEY:
            return
        frame = step.sound_frame
        # A frame's time may lie a little past its target: any frame near it is good enough.
        if frame is not None and step.pts is not None and step.pts >= due[-1]:
            due.pop()
            yield frame


def _limited_luma(frame: "VideoFrame") -> Luma:
    """Return luma as 8-bit code values of limited range, black at 16."""
    luma, bits, is_full_range = luma_plane(frame)
    eight = (luma >> (bits - 8)).astype(np.uint8)
    return (eight * (219 / 255) + 16).astype(np.uint8) if is_full_range else eight
