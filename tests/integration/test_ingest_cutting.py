"""Clips of files with sound, and of files whose frames have no display times."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from ingest.cutting import Cut
from ingest.decoder import Decoder
from tests.media import MADE

pytestmark = pytest.mark.integration


def cut(name: str, folder: Path, first: int, after: int) -> tuple[int, Path]:
    """Cut frames `first` to before `after` out of a made file of 25 frames per second."""
    path = next(made for made in MADE if made.name == name).make(folder)
    clip = folder / "clip.mp4"
    with Decoder() as decoder:
        probe = decoder.probe(path)
        assert probe.frame_rate == 25
        step = Fraction(1, 25) / probe.time_base
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
                output=str(clip),
            )
        )
    return frames, clip


def test_a_clip_has_the_sound_of_its_range(tmp_path: Path) -> None:
    frames, clip = cut("audio_first.mp4", tmp_path, 37, 90)
    assert frames == 53
    with av.open(str(clip)) as container:
        seconds = [
            float(frame.pts * frame.time_base + Fraction(frame.samples, frame.sample_rate))
            for frame in container.decode(audio=0)
            if frame.pts is not None and frame.time_base is not None
        ]
    # To a frame of the codec, which holds 1024 samples: 23 ms.
    assert seconds[-1] == pytest.approx(53 / 25, abs=0.05)


@pytest.mark.parametrize("name", ["mpeg4.avi", "open_groups.ts", "late_start.mp4", "hevc.mkv"])
def test_a_clip_of_any_container_has_the_frames_that_were_asked_for(
    name: str, tmp_path: Path
) -> None:
    frames, clip = cut(name, tmp_path, 41, 77)
    with av.open(str(clip)) as container:
        assert frames == sum(1 for _ in container.decode(video=0)) == 36
