"""What the fault tests share: an episode, and what a fault-free run finds in it."""

from pathlib import Path

import pytest

from tests.clips import write_clip
from tests.conftest import SHARED


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made episode of 40 s."""
    return write_clip(tmp_path_factory.mktemp("clip") / "made_40s.mp4")


@pytest.fixture(scope="session")
def long_clip(clip: Path) -> Path:
    """The pillarboxed episode of 90 s where the shared data is, else the made one."""
    shared = SHARED / "video" / "springfield_composed_pillarbox_90s.mp4"
    return shared if shared.exists() else clip
