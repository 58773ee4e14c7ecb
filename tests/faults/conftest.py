"""What the fault tests share: an episode, and what a fault-free run finds in it."""

from pathlib import Path

import pytest

from tests.conftest import SHARED
from tests.rows.found import Found, found_in
from tests.servers.commands import BY_LOT, castline, new_home
from tests.video.clips import write_clip
from tests.video.media import X264, run_ffmpeg


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made episode of 40 s with a key frame every 2 s and nowhere else."""
    folder = tmp_path_factory.mktemp("clip")
    drawn = write_clip(folder / "drawn.mp4")
    run_ffmpeg("-i", drawn, *X264, "-g", "24", "-x264-params", "scenecut=0", folder / "made.mp4")
    return folder / "made.mp4"


@pytest.fixture(scope="session")
def undisturbed(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What is found in the made episode when nothing goes wrong."""
    home = new_home(tmp_path_factory.mktemp("undisturbed") / "home")
    ended = castline(home, "tag", clip, *BY_LOT)
    assert ended.returncode == 0, ended.stderr
    return found_in(home)


@pytest.fixture(scope="session")
def long_clip(clip: Path) -> Path:
    """The pillarboxed episode of 90 s where the shared data is, else the made one."""
    shared = SHARED / "video" / "springfield_composed_pillarbox_90s.mp4"
    return shared if shared.exists() else clip
