"""What every test may ask for: the shared data, and a skip with its reason where it is absent."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from db.engine import Database
from db.upgrade import upgrade_database
from tests.servers.databases import new_postgresql_url, postgresql_server

# in the background of a script Ctrl-C is ignored, also by all that tests start and then interrupt
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# an example may take as long as it likes: a slow machine is no fault of the code
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

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
def shared_data() -> Path:
    """The folder of all stills, whole frames and their boxes."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_originals() -> Path:
    """The folder of stills of odd sizes and kinds."""
    return _shared("data/originals")


@pytest.fixture(scope="session")
def postgresql_base_url() -> Iterator[str]:
    """A PostgreSQL server for the whole session."""
    with postgresql_server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty migrated database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'castline.db'}"
    else:
        url = new_postgresql_url(request.getfixturevalue("postgresql_base_url"))
    made = Database(url)
    upgrade_database(made)
    yield made
    made.dispose()
