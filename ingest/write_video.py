"""Writing pictures as an H.264 file: the episodes that Castline draws itself."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ingest.errors import VideoError

QUALITY = "20"
"""x264's constant rate factor: at 20 drawn outlines show no blocks, and a minute takes 2 MB."""


def write_video(
    path: Path, pictures: Iterable[npt.NDArray[np.uint8]], frame_rate: Fraction
) -> None:
    """Write pictures one after the other, with B-frames as real episodes have them.

    Args:
        path: the file to make; written under another name and renamed when whole.
        pictures: RGB of one even size, (height, width, 3) uint8.
        frame_rate: frames per second; picture n is on display from n / frame_rate.

    Raises:
        VideoError: the file cannot be written.
    """
    import av
    from av.error import FFmpegError

    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        with av.open(str(part), "w") as container:
            stream = container.add_stream("libx264", rate=frame_rate, options={"crf": QUALITY})
            stream.pix_fmt = "yuv420p"
            for number, picture in enumerate(pictures):
                if number == 0:
                    stream.height, stream.width = picture.shape[:2]
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, 1 / frame_rate
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        part.replace(path)
    except (FFmpegError, OSError) as error:
        raise VideoError(f"{path}: cannot be written ({error}); check space and rights") from error
    finally:
        part.unlink(missing_ok=True)
