"""The pictures of the frame store: JPEG files of sampled frames, and crops of them."""

from math import ceil

import numpy as np
import numpy.typing as npt

from ingest.errors import FrameStoreError

JPEG_QUALITY = 68
"""JPEG quality with chroma at full resolution (4:4:4). Measured on big_buck_bunny, which is richer
in detail than drawn cartoons, 2640 pictures of 256x144: 19.2 MB at 33.1 dB. Halved chroma (4:2:0)
at the same size allows quality 79 and 32.7 dB; on drawn cartoons the gap is 1 dB and more, since
they consist of lines and flat colours. Progressive files were larger at this size. In 4:3, 256x191,
the four popeye_sindbad clips, scanned film with its grain: 19.5 MB for 2640 at 37.5 dB, between
13.5 and 23.9 for each; quality 72 would take 21."""


def encode_jpeg(picture: npt.NDArray[np.uint8]) -> bytes:
    """Encode uint8 (h, w, 3) RGB with the quality of the store."""
    import cv2

    parameters = [
        cv2.IMWRITE_JPEG_QUALITY,
        JPEG_QUALITY,
        cv2.IMWRITE_JPEG_OPTIMIZE,
        1,  # optimised Huffman tables: 6 % smaller for 0.1 ms
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    is_done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), parameters)
    assert is_done, "an RGB picture can always be encoded"
    return data.tobytes()


def decode_jpeg(jpeg: bytes) -> npt.NDArray[np.uint8] | None:
    """Decode to uint8 (h, w, 3) RGB; None if it is not a picture."""
    import cv2

    return _decoded(jpeg, cv2.IMREAD_COLOR)


def decode_thumbnail(jpeg: bytes) -> npt.NDArray[np.uint8] | None:
    """Decode an eighth of each side to uint8 (h, w, 3) RGB; None if it is not a picture.

    A pixel is the mean of a block of 8x8 pixels: JPEG stores it as such.
    """
    import cv2

    return _decoded(jpeg, cv2.IMREAD_REDUCED_COLOR_8)


def _decoded(jpeg: bytes, how: int) -> npt.NDArray[np.uint8] | None:
    import cv2

    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), how)
    if picture is None:
        return None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def cut_jpeg(jpeg: bytes, box: tuple[float, float, float, float]) -> bytes:
    """Crop a stored picture, encoded with the quality of the store.

    Args:
        jpeg: A picture from `read_jpeg`.
        box: Left, top, right and bottom, as shares of the picture; at least one pixel is kept.

    Returns:
        The crop as JPEG.

    Raises:
        FrameStoreError: It is not a picture.
    """
    picture = decode_jpeg(jpeg)
    if picture is None:
        raise FrameStoreError("a stored picture is damaged; extract its chunk again")
    height, width = picture.shape[:2]
    left, right = _pixels(box[0], box[2], width)
    top, bottom = _pixels(box[1], box[3], height)
    return encode_jpeg(picture[top:bottom, left:right])


def _pixels(start: float, end: float, count: int) -> tuple[int, int]:
    """Return the first pixel and the end of the pixels along a side that a range touches."""
    first = min(int(start * count), count - 1)
    return first, max(first + 1, min(ceil(end * count), count))
