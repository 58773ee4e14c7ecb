"""Every export of the composed episodes, as the bundled model tags them, read back to the frame."""

import os
from fractions import Fraction
from pathlib import Path

import av
import pytest

from db.engine import Database
from db.queries import find_appearances
from tests.commands import castline_here
from tests.export_readers import READERS, Found, Frames
from timeline.export import FORMATS
from worker.settings import sqlite_url

pytestmark = pytest.mark.integration

EPISODES = ("springfield_composed_pillarbox_90s.mp4", "springfield_composed_240s.mp4")
CLIPS = ".clips"
"""The suffix of the folder."""


class Episode:
    """A tagged episode: what its frames are, and who was found where."""

    def __init__(self, path: Path, home: Path) -> None:
        ended = castline_here(home, "tag", path)
        assert ended.returncode == 0, ended.stderr
        self.path, self.home = path, home
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            base, rate = Fraction(stream.time_base or 0), Fraction(stream.average_rate or 0)
            pts = [frame.pts for frame in container.decode(video=0) if frame.pts is not None]
        self.pts = [*pts, pts[-1] + round(1 / rate / base)]
        self.frames = Frames(rate, [(each - pts[0]) * base for each in self.pts])
        database = Database(sqlite_url(home))
        with database.read() as connection:
            found = [item.appearance for item in find_appearances(connection)]
        database.dispose()
        self.ranges: Found = [
            (each.label, self.pts.index(each.start_pts), self.pts.index(each.end_pts))
            for each in sorted(found, key=lambda each: (each.start_pts, each.label))
        ]

    def export(self, folder: Path, *formats: str) -> Path:
        """Write these, and return the path of all of them but for the suffix."""
        ended = castline_here(
            self.home, "export", self.path.stem, "-f", ",".join(formats), "-o", folder
        )
        assert ended.returncode == 0, ended.stderr
        return folder / self.path.stem


@pytest.fixture(scope="module", params=EPISODES)
def episode(
    request: pytest.FixtureRequest, shared_video: Path, tmp_path_factory: pytest.TempPathFactory
) -> Episode:
    return Episode(shared_video / request.param, tmp_path_factory.mktemp("home"))


def test_every_format_is_read_back_to_the_frame(episode: Episode, tmp_path: Path) -> None:
    assert len(episode.ranges) > 10
    path = episode.export(tmp_path, *READERS)
    for name, read in READERS.items():
        found = read(path.with_name(path.name + FORMATS[name].suffix), episode.frames)
        assert sorted(found, key=_by_time) == episode.ranges, name


@pytest.mark.skipif(
    "CASTLINE_ALL_CLIPS" not in os.environ, reason="takes a minute: run it by `make export-clips`"
)
def test_clips_have_the_frames_of_their_ranges_at_their_times(
    episode: Episode, tmp_path: Path
) -> None:
    folder = episode.export(tmp_path, "clips")
    clips = sorted(folder.with_name(folder.name + CLIPS).iterdir())
    assert len(clips) == len(episode.ranges)
    for clip, (label, start, end) in zip(clips, episode.ranges, strict=True):
        assert f"_{label}_" in clip.name
        with av.open(str(clip)) as container:
            base = Fraction(container.streams.video[0].time_base or 0)
            times = [
                frame.pts * base for frame in container.decode(video=0) if frame.pts is not None
            ]
        seconds = episode.frames.seconds
        assert times == [each - seconds[start] for each in seconds[start:end]]


def _by_time(found: tuple[str, int, int]) -> tuple[int, str]:
    label, start, _ = found
    return start, label
