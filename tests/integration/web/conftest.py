"""One tagged library for all tests of the web server, and servers of it in this process."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from castline.library import Library
from tests.stills.models import NAME, write_model_by_lot
from tests.video.clips import write_clip
from web.access import Access
from web.app import make_app
from worker.settings import Settings

HERE = "http://127.0.0.1:8321"
"""The address at which a browser of this machine finds the server."""

NAMES = ("The Town S01E01 Arrival.mp4", "The Town S01E02 Departure.mp4")
SECONDS = 12


@dataclass(frozen=True)
class Town:
    """A home with two tagged episodes, in a folder of media that is set as a media root."""

    home: Path
    media: Path

    def library(self) -> Library:
        """Open it."""
        settings = Settings.from_environment(self.home, {})
        return Library(replace(settings, media_roots=(self.media,)))

    def copy(self, folder: Path) -> "Town":
        """Return a copy of all but the videos, in which a test may change what it likes."""
        shutil.copytree(self.home, folder / "home")
        return Town(folder / "home", self.media)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """The library that tests only read."""
    folder = tmp_path_factory.mktemp("town")
    town = Town(folder / "home", folder / "media")
    write_model_by_lot(town.home / "models")
    town.media.mkdir()
    videos = [
        write_clip(town.media / name, seconds=SECONDS, seed=seed)
        for seed, name in enumerate(NAMES, start=1)
    ]
    with town.library() as library:
        library.tag(*videos, model=NAME, workers=1)
    return town


@pytest.fixture(scope="session")
def library(town: Town) -> Iterator[Library]:
    """The library that tests only read."""
    with town.library() as library:
        yield library


@pytest.fixture(scope="session")
def client(library: Library) -> TestClient:
    """A client of a server of the library that tests only read."""
    return client_of(library)


@pytest.fixture
def own_town(town: Town, tmp_path: Path) -> Town:
    """A library of the test's own."""
    return town.copy(tmp_path)


@pytest.fixture
def own_library(own_town: Town) -> Iterator[Library]:
    """A library of the test's own."""
    with own_town.library() as library:
        yield library


@pytest.fixture
def own_client(own_library: Library) -> TestClient:
    """A client of a server of the test's own."""
    return client_of(own_library)


def client_of(library: Library, access: Access | None = None) -> TestClient:
    """Return a client of a new server."""
    return TestClient(
        make_app(library, access or Access()),
        base_url=HERE,
        follow_redirects=False,
        raise_server_exceptions=False,
    )
