"""What every test may ask for: the shared data, and a skip with its reason where it is absent."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


def _shared(part: str) -> Path:
    folder = SHARED / part
    if not folder.is_dir():
        reason = f"{folder} is absent: lay the shared data beside the checkout to run this test"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def shared_video() -> Path:
    """The folder of real clips."""
    return _shared("video")


@pytest.fixture(scope="session")
def shared_stills() -> Path:
    """The folder of labelled stills, one folder per label."""
    return _shared("data/simpsons")


@pytest.fixture(scope="session")
def shared_originals() -> Path:
    """The folder of stills of odd sizes and kinds."""
    return _shared("data/originals")
