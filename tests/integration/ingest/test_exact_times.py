"""Sampled frames are those that ffmpeg lists as on display, for every kind of file and chunk."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ingest.frames.decoding import decode_all, decode_wanted, plan_chunk
from ingest.frames.packets import ChunkSource
from ingest.media.probe import Probe
from ingest.progress import Pulse
from tests.video.media import (
    MADE,
    X264,
    MadeVideo,
    extract_episode,
    fine_units,
    kept_open,
    pattern,
    probe,
    rotated,
    trimmed,
    with_cover_art,
)
from tests.video.witness import frames_of, on_display, packets_of, pts_on_display, shape_of

pytestmark = pytest.mark.integration

HALF = Fraction(1, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made")


ODD = {
    "cover art": with_cover_art,
    "edit list": trimmed,
    "fine units": fine_units,
    "turned left": lambda folder: rotated(folder, 90),
}
KINDS: dict[str, Callable[[Path], Path]] = {made.name: made.make for made in MADE} | ODD


def assert_exact(path: Path, folder: Path, every_seconds: Fraction, chunks: list[int]) -> None:
    described = probe(path)
    expected = pts_on_display(path, every_seconds, described.duration_seconds)
    shapes = []
    for chunk_seconds in chunks:
        frames, missing = extract_episode(described, folder, chunk_seconds, every_seconds)
        assert [pts for pts, _ in frames] == expected
        assert missing == ()
        shapes.append(frames)
    assert all(frames == shapes[0] for frames in shapes), "pixels differ between chunk lengths"


@pytest.mark.parametrize("kind", KINDS)
def test_frames_of_made_file_are_those_on_display(kind: str, folder: Path, tmp_path: Path) -> None:
    assert_exact(KINDS[kind](folder), tmp_path, HALF, [1, 3, 600])


@pytest.mark.parametrize("every_seconds", [Fraction(1, 3), Fraction(1001, 24000), Fraction(2)])
def test_interval_may_be_any_fraction(
    every_seconds: Fraction, folder: Path, tmp_path: Path
) -> None:
    assert_exact(MADE[0].make(folder), tmp_path, every_seconds, [1, 600])


SHARED = [
    ("big_buck_bunny_480p_30s.mp4", [10, 60]),
    ("springfield_composed_pillarbox_90s.mp4", [10, 60]),
    ("springfield_composed_240s.mp4", [60]),
    ("popeye_sindbad_720x478_ntsc.mkv", [10, 600]),
    ("popeye_sindbad_hevc_1440x1074_1.mkv", [10]),
    ("popeye_sindbad_hevc_1440x1074_2.mkv", [60]),
    ("popeye_sindbad_hevc_1440x1074_3.mkv", [60]),
    ("popeye_sindbad_hevc_1440x1074_4.mkv", [10]),
]


@pytest.mark.parametrize(("name", "chunks"), SHARED)
def test_frames_of_real_clip_are_those_on_display(
    name: str, chunks: list[int], shared_video: Path, tmp_path: Path
) -> None:
    # Packets and frames of these clips carry the same times, and listing packets is quick.
    path = shared_video / name
    described = probe(path)
    listed = packets_of(path)
    assert listed.time_base == described.time_base
    frames = sorted(listed.pts)
    expected = on_display(frames, listed.time_base, HALF, described.duration_seconds)
    found = [extract_episode(described, tmp_path, seconds) for seconds in chunks]

    assert [pts for pts, _ in found[0][0]] == expected
    assert all(stored == found[0][0] for stored, _ in found)
    assert all(missing == () for _, missing in found)


def whole(described: Probe) -> ChunkSource:
    return ChunkSource(
        file=kept_open(Path(described.path)),
        time_base=described.time_base,
        episode_start_pts=described.start_pts,
        start_pts=described.start_pts,
        end_pts=described.end_pts,
        lag_pts=described.lag_pts,
    )


X265_LAYERS = "temporal-layers=1:bframes=4:b-pyramid=1:keyint=40:log-level=0"
SKIPPED = [
    MadeVideo("pyramid.mkv", (*pattern(), *X264, "-x264-params", "bframes=5:b-pyramid=2")),
    MadeVideo("hevc.mkv", (*pattern(), "-c:v", "libx265", "-x265-params", "log-level=0")),
    MadeVideo("hevc.ts", (*pattern(), "-c:v", "libx265", "-x265-params", "log-level=0")),
    MadeVideo("layers.mp4", (*pattern(), "-c:v", "libx265", "-x265-params", X265_LAYERS)),
    MadeVideo("mpeg1.mkv", (*pattern(), "-c:v", "mpeg1video", "-bf", "2")),
    MadeVideo("mpeg2.ts", (*pattern(), "-c:v", "mpeg2video", "-bf", "2")),
    MadeVideo("mpeg4.mkv", (*pattern(), "-c:v", "mpeg4", "-bf", "2")),
]


@pytest.mark.parametrize("made", SKIPPED, ids=lambda made: made.name)
def test_skipping_leaves_every_wanted_pixel_alone(made: MadeVideo, tmp_path: Path) -> None:
    source = whole(probe(made.make(tmp_path)))
    plan = plan_chunk(source, Pulse(None))
    wanted = frozenset(plan.frame_pts[::7])

    every = {step.pts: step.frame for step in decode_all(source) if step.frame is not None}
    kept = {
        step.pts: step.frame
        for step in decode_wanted(source, plan, wanted)
        if step.frame is not None
    }

    assert len(kept) < len(every), "nothing was skipped"
    assert wanted <= set(kept)
    for pts in wanted:
        assert np.array_equal(kept[pts].to_ndarray(), every[pts].to_ndarray())


def test_reading_a_chunk_reports_before_a_frame_is_decoded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.progress.REPORT_EVERY_SECONDS", 0)
    reports: list[int] = []

    plan = plan_chunk(whole(probe(MADE[0].make(folder))), Pulse(reports.append))

    assert reports == [0] * len(plan.frame_pts)


def test_probe_agrees_with_ffmpeg_on_a_real_clip(shared_video: Path) -> None:
    path = shared_video / "popeye_sindbad_720x478_ntsc.mkv"
    listed, shape = packets_of(path), shape_of(path)

    described = probe(path)

    assert described.codec == listed.codec
    assert described.time_base == listed.time_base
    assert (described.width, described.height) == (shape.width, shape.height)
    assert described.pixel_format == shape.pixel_format
    assert described.frame_rate == shape.frame_rate
    assert described.sample_aspect_ratio == shape.sample_aspect_ratio
    assert described.duration_seconds == Fraction("60.060")
    assert described.missing == (), "subtitles that outlast the pictures are no truncation"


@pytest.mark.parametrize("name", ["uneven.mkv", "uneven.mp4"])
def test_uneven_rate_is_noticed(name: str, folder: Path) -> None:
    path = KINDS[name](folder)

    described = probe(path)

    assert described.rate_varies
    assert described.missing == ()
    assert described.start_pts == min(frames_of(path).pts)


def test_description_survives_the_way_through_json(folder: Path) -> None:
    described = probe(MADE[0].make(folder))

    assert Probe.from_json(described.to_json()) == described
