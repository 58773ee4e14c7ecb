"""Write a video file from pictures, for the demonstration and for tests."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

B_FRAMES = 2
KEY_FRAME_SECONDS = 2
"""Usual for files made for playback: seeking is fast, and chunks can be cut anywhere."""

BT709 = 1
LIMITED_RANGE = 1
"""Matrix coefficients by ITU-T H.273, and AVCOL_RANGE_MPEG, of the written pictures."""

QUALITY = "20"
"""Constant rate factor of x264, where 18 to 23 look as good as the original."""


def write_video(
    path: Path, pictures: Iterable[npt.NDArray[np.uint8]], frame_rate: Fraction
) -> None:
    """Write an H.264 MP4 (yuv420p, B-frames).

    Args:
        path: The file to write; an existing file is replaced.
        pictures: uint8 (h, w, 3) RGB, all of one size with even sides.
        frame_rate: Frames per second.

    Raises:
        ValueError: There is no picture, or the sides are odd.
        OSError: The file cannot be written.
    """
    import av
    from av.video.frame import VideoFrame

    remaining = iter(pictures)
    first = next(remaining, None)
    if first is None:
        raise ValueError(f"{path}: no pictures to write")
    height, width = first.shape[:2]
    if height % 2 or width % 2:
        raise ValueError(f"{path}: pictures of {width}x{height}; both sides must be even")
    with av.open(str(path), mode="w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=frame_rate, options={"crf": QUALITY})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.colorspace, stream.color_range = BT709, LIMITED_RANGE
        stream.max_b_frames = B_FRAMES
        stream.gop_size = max(1, round(KEY_FRAME_SECONDS * frame_rate))
        for number, picture in enumerate(chain([first], remaining)):
            rgb = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = rgb.reformat(
                format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG", threads=1
            )
            frame.pts, frame.time_base = number, 1 / frame_rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
