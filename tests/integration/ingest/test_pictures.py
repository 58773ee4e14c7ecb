"""Stored pictures look as the frames are meant to be displayed; bars are found and cut."""

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from exact.picture_area import PictureArea
from ingest.frames.chunks import ChunkRange
from ingest.frames.extract_request import Extraction
from ingest.frames.write_video import write_video
from ingest.storage.frame_store import StoredFrame, read_frames
from tests.video.media import (
    X264,
    extract_chunk,
    ffmpeg_command,
    find_picture_area,
    pattern,
    probe,
    rotated,
    run_ffmpeg,
)

pytestmark = pytest.mark.integration

Picture = npt.NDArray[np.uint8]


def stored(path: Path, folder: Path, area: PictureArea | None = None) -> list[StoredFrame]:
    described = probe(path)
    chunk = ChunkRange(described.start_pts, described.end_pts)
    store = folder / "chunk.zip"
    area = area or described.whole_frame
    extract_chunk(Extraction.of(described, described.path, chunk, Fraction(1, 2), area, store))
    return list(read_frames(store))


def first_frame_by_ffmpeg(path: Path, width: int, height: int, filters: str) -> Picture:
    """The first frame as ffmpeg displays it: turned, scaled, in RGB."""
    command = [ffmpeg_command(), "-v", "error", "-i", str(path), "-frames:v", "1"]
    command += ["-vf", f"{filters}scale={width}:{height}:flags=area+accurate_rnd"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3)


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_picture_is_turned_as_for_display(degrees: int, tmp_path: Path) -> None:
    path = rotated(tmp_path, degrees)

    picture = stored(path, tmp_path)[0].picture

    height, width = picture.shape[:2]
    assert (height > width) == (degrees != 180)
    reference = first_frame_by_ffmpeg(path, width, height, "")
    assert np.abs(picture.astype(int) - reference).mean() < 6


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("-pix_fmt", "yuv420p"), id="8 bits"),
        pytest.param(("-pix_fmt", "yuv420p10le"), id="10 bits"),
        pytest.param(("-pix_fmt", "yuv444p"), id="full colour"),
        pytest.param(("-vf", "scale=out_range=full", "-color_range", "pc"), id="full range"),
    ],
)
def test_colours_are_those_that_ffmpeg_shows(arguments: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "colours.mp4"
    run_ffmpeg(*pattern(seconds=1, size="256x192"), *X264, "-crf", "12", *arguments, path)

    picture = stored(path, tmp_path)[0].picture

    reference = first_frame_by_ffmpeg(path, 256, 192, "")
    assert picture.shape == reference.shape
    assert np.abs(picture.astype(int) - reference).mean() < 6


def test_palette_video_is_readable(tmp_path: Path) -> None:
    path = tmp_path / "palette.mkv"
    run_ffmpeg(*pattern(seconds=1), "-c:v", "png", "-pix_fmt", "pal8", path)

    picture = stored(path, tmp_path)[0].picture

    reference = first_frame_by_ffmpeg(path, 192, 144, "")
    assert np.abs(picture.astype(int) - reference).mean() < 6


def test_anamorphic_picture_is_as_wide_as_displayed(tmp_path: Path) -> None:
    path = tmp_path / "anamorphic.mp4"
    run_ffmpeg(*pattern(seconds=1, size="720x576"), "-vf", "setsar=64/45", *X264, path)

    assert stored(path, tmp_path)[0].picture.shape == (144, 256, 3)


@pytest.mark.parametrize(
    ("size", "shape"),
    [("640x480", (192, 256, 3)), ("640x272", (109, 256, 3)), ("240x400", (192, 115, 3))],
)
def test_picture_of_any_shape_fits_into_256x192(
    size: str, shape: tuple[int, int, int], tmp_path: Path
) -> None:
    path = tmp_path / "any.mp4"
    run_ffmpeg(*pattern(seconds=1, size=size), *X264, path)

    assert stored(path, tmp_path)[0].picture.shape == shape


def test_small_picture_keeps_its_height(tmp_path: Path) -> None:
    path = tmp_path / "small.mp4"
    run_ffmpeg(*pattern(seconds=1, size="120x90"), *X264, path)

    assert stored(path, tmp_path)[0].picture.shape == (90, 120, 3)


def test_interlaced_picture_has_no_combs(tmp_path: Path) -> None:
    # A white bar that moves 16 pixels from field to field: woven, its edge is a comb.
    def fields() -> list[Picture]:
        pictures = []
        for number in range(24):
            woven = np.zeros((288, 384, 3), np.uint8)
            for field in range(2):
                start = 32 * (number % 8) + 16 * field
                woven[field::2, start : start + 64] = 255
            pictures.append(woven)
        return pictures

    progressive, path = tmp_path / "woven.mp4", tmp_path / "interlaced.mp4"
    write_video(progressive, fields(), Fraction(25))
    run_ffmpeg(
        "-i", progressive, *X264, "-crf", "4", "-vf", "setfield=tff", "-flags", "+ilme+ildct", path
    )

    combed = stored(progressive, tmp_path)[0].picture
    clean = stored(path, tmp_path)[0].picture

    def grey_share(picture: Picture) -> float:
        return float(np.mean((picture > 70) & (picture < 190)))

    assert grey_share(combed) > 3 * grey_share(clean)


def test_area_is_cut_before_shrinking(tmp_path: Path) -> None:
    path = tmp_path / "boxed.mp4"
    filters = "scale=320:240,pad=426:240:53:0:red"
    run_ffmpeg(*pattern(seconds=1), "-vf", filters, *X264, "-crf", "12", path)

    picture = stored(path, tmp_path, PictureArea(53, 0, 320, 240))[0].picture

    assert picture.shape == (192, 256, 3)
    reference = first_frame_by_ffmpeg(path, 256, 192, "crop=320:240:53:0:exact=1,")
    assert np.abs(picture.astype(int) - reference).mean() < 6


def test_bars_of_the_pillarboxed_episode_are_found(shared_video: Path) -> None:
    area = find_picture_area(probe(shared_video / "springfield_composed_pillarbox_90s.mp4"))

    # The episode was composed as 640x480 at x=107 in 854x480.
    assert (area.x, area.y, area.width, area.height) == pytest.approx((107, 0, 640, 480), abs=2)


@pytest.mark.parametrize("name", ["springfield_composed_240s.mp4", "big_buck_bunny_480p_30s.mp4"])
def test_episode_without_bars_keeps_its_whole_frame(name: str, shared_video: Path) -> None:
    described = probe(shared_video / name)

    assert find_picture_area(described) == described.whole_frame


def film(bright: list[bool], bars: bool, noise: int = 0) -> list[Picture]:
    """Shots of two frames of drawn shapes, bright or nearly black, perhaps letterboxed."""
    random = np.random.default_rng(7)
    pictures = []
    for number in range(2 * len(bright)):
        low, high = (60, 256) if bright[number // 2] else (0, 12)
        blocks = random.integers(low, high, (12, 20, 3))
        picture = np.kron(blocks, np.ones((15, 16, 1))).astype(np.int64)  # 180x320
        if bars:
            picture[:24] = picture[-24:] = 0
            picture[:24] += random.integers(0, noise + 1, (24, 320, 1))
            picture[-24:] += random.integers(0, noise + 1, (24, 320, 1))
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    return pictures


def area_of(pictures: list[Picture], folder: Path) -> PictureArea:
    path = folder / "film.mp4"
    write_video(path, pictures, Fraction(2))
    return find_picture_area(probe(path))


@pytest.mark.parametrize("noise", [0, 10])
def test_letterbox_is_found_through_noise_and_dark_shots(noise: int, tmp_path: Path) -> None:
    bright = [number % 3 != 0 for number in range(30)]

    area = area_of(film(bright, bars=True, noise=noise), tmp_path)

    assert (area.x, area.y, area.width, area.height) == pytest.approx((0, 24, 320, 132), abs=2)


@pytest.mark.parametrize("dark_from", [0, 1, 15, 29])
def test_dark_shots_alone_make_no_bars(dark_from: int, tmp_path: Path) -> None:
    bright = [number < dark_from for number in range(30)]

    area = area_of(film(bright, bars=False), tmp_path)

    assert area == PictureArea(0, 0, 320, 180)


def test_one_full_frame_among_letterboxed_ones_forbids_the_cut(tmp_path: Path) -> None:
    pictures = film([True] * 30, bars=True)
    pictures[20:26] = film([True] * 3, bars=False)

    assert area_of(pictures, tmp_path) == PictureArea(0, 0, 320, 180)
