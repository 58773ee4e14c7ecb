"""An episode's file: what is refused, and its seconds."""

from dataclasses import replace
from fractions import Fraction

import pytest

from exact.picture_area import PictureArea
from exact.video_file import VideoFile

FILE = VideoFile(
    name="a.mkv",
    size_bytes=9,
    sha256="a" * 64,
    file_stamp="",
    container="matroska,webm",
    codec="h264",
    width=640,
    height=480,
    rotation=0,
    pixel_format="yuv420p",
    sample_aspect_ratio=Fraction(1),
    frame_rate=Fraction(24000, 1001),
    rate_varies=False,
    time_base=Fraction(1, 24000),
    start_pts=1001,
    end_pts=25025,
    key_pts=(1001,),
    lag_pts=None,
    missing=(),
)


def test_seconds_count_from_the_first_frame() -> None:
    assert FILE.seconds_at(1001) == 0
    assert FILE.seconds_at(2002) == Fraction(1001, 24000)
    assert FILE.duration_seconds == Fraction(1001, 1000)


def test_the_whole_frame_is_an_area() -> None:
    assert FILE.whole_frame == PictureArea(0, 0, 640, 480)


@pytest.mark.parametrize(
    "wrong",
    [
        {"end_pts": 1001},
        {"time_base": Fraction(0)},
        {"frame_rate": Fraction(-25)},
        {"sample_aspect_ratio": Fraction(0)},
        {"width": 0},
        {"size_bytes": 0},
        {"sha256": "abc"},
    ],
)
def test_what_no_file_can_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"a\.mkv|must not be empty"):
        replace(FILE, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("sides", [(-1, 0, 4, 4), (0, -1, 4, 4), (0, 0, 0, 4), (0, 0, 4, 0)])
def test_an_area_without_extent_or_outside_is_refused(sides: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="not a picture area"):
        PictureArea(*sides)
