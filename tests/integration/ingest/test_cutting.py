"""Clips of files with sound, of odd shape, and of files whose frames have no display times."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from ingest.decoder.parent import Decoder
from ingest.errors import IngestError
from ingest.frames.cutting import Cut
from tests.video.media import MADE, X264, pattern, rotated, run_ffmpeg

pytestmark = pytest.mark.integration


def made(name: str, folder: Path) -> Path:
    return next(video for video in MADE if video.name == name).make(folder)


def cut(
    path: Path, first: int, after: int, clip: Path | None = None, rate: Fraction = Fraction(25)
) -> tuple[int, Path]:
    """Cut frames `first` to before `after` out of a made file of `rate` frames per second."""
    clip = clip or path.with_name("clip.mp4")
    with Decoder() as decoder:
        probe = decoder.probe(path)
        assert probe.frame_rate == rate
        step = 1 / (rate * probe.time_base)
        start, end = (probe.start_pts + round(number * step) for number in (first, after))
        key = max(pts for pts in probe.key_pts if pts <= start)
        frames = decoder.cut_out(
            Cut(
                path=probe.path,
                time_base=probe.time_base,
                episode_start_pts=probe.start_pts,
                key_pts=key,
                start_pts=start,
                end_pts=end,
                frame_rate=probe.frame_rate,
                lag_pts=probe.lag_pts,
                sample_aspect_ratio=probe.sample_aspect_ratio,
                rotation=probe.rotation,
                output=str(clip),
            )
        )
    return frames, clip


def test_a_clip_has_the_sound_of_its_range(tmp_path: Path) -> None:
    frames, clip = cut(made("audio_first.mp4", tmp_path), 37, 90)
    assert frames == 53
    with av.open(str(clip)) as container:
        seconds = [
            float(frame.pts * frame.time_base + Fraction(frame.samples, frame.sample_rate))
            for frame in container.decode(audio=0)
            if frame.pts is not None and frame.time_base is not None
        ]
    # To a frame of the codec, which holds 1024 samples: 23 ms.
    assert seconds[-1] == pytest.approx(53 / 25, abs=0.05)


LOUD_FROM_2_TO_3 = "aevalsrc=if(between(t\\,2\\,3)\\,sin(2764*t)\\,0):s=48000:d=4"
MPEG4 = ("-c:v", "mpeg4")
PCM = ("-c:a", "pcm_s16le")


@pytest.mark.parametrize(
    ("name", "arguments", "layout"),
    [
        ("mp3.avi", (*MPEG4, "-c:a", "mp3", "-ac", "2"), "stereo"),
        ("ac3.avi", (*X264, "-bf", "0", "-c:a", "ac3", "-ac", "2"), "stereo"),
        ("ac3_surround.mkv", (*X264, "-c:a", "ac3", "-ac", "6"), "5.1"),
        ("pcm.mkv", (*X264, *PCM, "-ac", "2"), "stereo"),
        ("pcm_2_1.mkv", (*X264, *PCM, "-af", "aformat=channel_layouts=2.1"), "3.0"),
        ("seven_channels.mov", (*X264, *PCM, "-af", "aformat=r=192000:cl=6.1(back)"), "stereo"),
        ("11127_hz.avi", (*MPEG4, *PCM, "-ar", "11127"), "mono"),
    ],
)
def test_sound_of_any_unit_rate_and_layout_keeps_its_time(
    name: str, arguments: tuple[str, ...], layout: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    run_ffmpeg(
        *pattern(seconds=4, size="96x72"), "-f", "lavfi", "-i", LOUD_FROM_2_TO_3, *arguments, path
    )
    frames, clip = cut(path, 37, 90)
    assert frames == 53
    loud: list[float] = []
    with av.open(str(clip)) as container:
        sound = container.streams.audio[0]
        assert (sound.rate, sound.layout.name) == (48000, layout)
        for frame in container.decode(sound):
            assert frame.time is not None
            if np.abs(frame.to_ndarray()).max() > 0.3:
                loud.append(frame.time)
    # The range starts at 37 / 25 = 1.48 s; each time is that of a frame's first sample.
    assert loud[0] == pytest.approx(2 - 1.48, abs=0.05)
    assert loud[-1] == pytest.approx(3 - 1.48, abs=0.05)
    assert frame.time == pytest.approx(53 / 25, abs=0.05)


@pytest.mark.parametrize("name", ["mpeg4.avi", "open_groups.ts", "late_start.mp4", "hevc.mkv"])
def test_a_clip_of_any_container_has_the_frames_that_were_asked_for(
    name: str, tmp_path: Path
) -> None:
    frames, clip = cut(made(name, tmp_path), 41, 77)
    with av.open(str(clip)) as container:
        assert frames == sum(1 for _ in container.decode(video=0)) == 36


def test_a_clip_has_the_leading_pictures_of_its_first_key_frame(tmp_path: Path) -> None:
    frames, _ = cut(made("open_groups.avi", tmp_path), 25, 50)
    assert frames == 25


def test_a_clip_keeps_the_shape_of_pixels(tmp_path: Path) -> None:
    path = tmp_path / "dvd.mkv"
    run_ffmpeg(*pattern(seconds=1, size="180x144"), "-vf", "setsar=16/11", *X264, path)
    _, clip = cut(path, 5, 20)
    with av.open(str(clip)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(16, 11)


def test_a_clip_is_turned_for_display_as_its_episode_is(tmp_path: Path) -> None:
    _, clip = cut(rotated(tmp_path, 90), 5, 20, rate=Fraction(24000, 1001))
    with av.open(str(clip)) as container:
        assert {frame.rotation for frame in container.decode(video=0)} == {90}


def test_only_a_full_disk_is_said_to_lack_space(tmp_path: Path) -> None:
    path = tmp_path / "thin.mkv"
    # Level 1 of FFV1 has one slice; others want a number of slices that so thin a picture lacks.
    thin = ("-vf", "format=yuv444p,scale=1:72", "-c:v", "ffv1", "-level", "1")
    run_ffmpeg(*pattern(seconds=1), *thin, path)
    with pytest.raises(IngestError, match=r"thin\.mkv: a clip .*; convert it to MP4"):
        cut(path, 5, 20)
    with pytest.raises(IngestError, match=r"\(No space left on device\); choose a folder that has"):
        cut(made("pal_25.mkv", tmp_path), 5, 20, clip=Path("/dev/full"))
