"""Cuts of made video files, whose shots are known to the frame, whatever encoded and cut them."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.cuts import joined_cuts
from ingest.frames.chunks import plan_chunks
from ingest.frames.extract_request import Extracted, Extraction
from ingest.frames.write_video import write_video
from ingest.storage.frame_store import read_manifest
from tests.video.media import (
    CLOSED,
    INTERLACED,
    OPEN_GROUPS,
    REFRESHED,
    X264,
    extract_chunk,
    find_picture_area,
    probe,
    run_ffmpeg,
)

pytestmark = pytest.mark.integration

RATE = 25
SHOT_FRAMES = (31, 40, 25, 61, 14, 50, 33)
"""Of which 25 and 50, and with them some of the borders, are where key frames are asked for."""
CUT_FRAMES = tuple(sum(SHOT_FRAMES[:number]) for number in range(1, len(SHOT_FRAMES)))

KINDS = {
    "closed.mp4": (*X264, *CLOSED),
    "scene_cuts.mp4": (*X264, "-bf", "3"),
    "open_groups.mkv": (*X264, *OPEN_GROUPS),
    "interlaced.ts": (*X264, *CLOSED, *INTERLACED),
    "refreshed.ts": (*X264, *REFRESHED),
    "ten_bits.mp4": (*X264, *CLOSED, "-pix_fmt", "yuv420p10le"),
    "hevc.mkv": ("-c:v", "libx265", "-x265-params", "keyint=30:log-level=0"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "30"),
    "mpeg2.ts": ("-c:v", "mpeg2video", *CLOSED),
    "mpeg4.avi": ("-c:v", "mpeg4", *CLOSED),
    "rgb.mkv": ("-c:v", "png"),
    "grey.mkv": ("-c:v", "ffv1", "-pix_fmt", "gray"),
    "tiny.mp4": ("-vf", "scale=24:16", *X264, *CLOSED),
}

LATE_FRAMES = {
    "closed.mp4": 1,
    "scene_cuts.mp4": 1,
    "open_groups.mkv": 1,
    "interlaced.ts": 1,
    "refreshed.ts": 1,
    "ten_bits.mp4": 1,
    "hevc.mkv": 2,
    "mpeg2.ts": 2,
    "tiny.mp4": 1,
}
"""Of the kinds of which frames are skipped: how many in a row at most."""


def shots() -> Iterator[NDArray[np.uint8]]:
    """Shots of large blocks, before which a square drifts."""
    lot = np.random.default_rng(3)
    for count in SHOT_FRAMES:
        blocks = lot.integers(0, 256, (3, 4, 3), dtype=np.uint8)
        shot = cv2.resize(blocks, (192, 144), interpolation=cv2.INTER_NEAREST)
        for number in range(count):
            picture = shot.copy()
            picture[60:80, number * 2 : number * 2 + 20] = 255 - blocks[0, 0]
            yield picture.astype(np.uint8)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shots") / "shots.mp4"
    write_video(path, shots(), Fraction(RATE))
    return path


def cuts_of(path: Path, folder: Path, chunk_seconds: int) -> tuple[int, ...]:
    """The cuts of an episode of so long chunks, as answers of the decoder process tell them."""
    described = probe(path)
    chunks = plan_chunks(
        described.start_pts,
        described.end_pts,
        described.key_pts,
        described.time_base,
        Fraction(chunk_seconds),
    )
    parts = []
    for chunk in chunks:
        store = folder / f"{chunk.start_pts}.zip"
        area = find_picture_area(described)
        asked = Extraction.of(described, described.path, chunk, Fraction(1, 2), area, store)
        told = Extracted.from_json(extract_chunk(asked).to_json()).cuts
        stored = read_manifest(store).cuts
        assert told is not None
        assert stored is not None
        assert stored.to_json() == told.to_json(), "the frame store knows them, too"
        parts.append(told)
    return joined_cuts(parts)


@pytest.mark.parametrize("kind", KINDS)
def test_cuts_are_the_first_frames_of_shots_whatever_the_chunks(
    kind: str, source: Path, tmp_path: Path
) -> None:
    path = tmp_path / kind
    run_ffmpeg("-i", source, *KINDS[kind], path)
    described = probe(path)

    found = [cuts_of(path, tmp_path, seconds) for seconds in (600, 3, 1)]

    seconds = [float((pts - described.start_pts) * described.time_base) for pts in found[0]]
    first_frames = [number / RATE for number in CUT_FRAMES]
    # a frame that nothing refers to may be skipped: then the next one is the first that is seen
    late = LATE_FRAMES.get(kind, 0) / RATE
    assert len(seconds) == len(first_frames)
    for found_at, begins_at in zip(seconds, first_frames, strict=True):
        assert begins_at - 0.001 <= found_at <= begins_at + late + 0.001
    assert found[1] == found[0]
    assert found[2] == found[0]


def test_black_bars_hide_no_cut(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "boxed.mp4"
    run_ffmpeg("-i", source, "-vf", "pad=576:288:192:72:black", *X264, *CLOSED, path)

    found = cuts_of(path, tmp_path, 600)

    numbers = [round(pts * probe(path).time_base * RATE) for pts in found]
    late = [number - begins for number, begins in zip(numbers, CUT_FRAMES, strict=True)]
    assert set(late) <= {0, 1}
