"""Another file in an episode's place: never tagged as the episode, at whatever moment it comes."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from castline.tagging.enqueue import enqueue_episode
from db.library.episodes import get_episode
from db.library.runs import list_runs
from ingest.decoder.parent import Decoder
from ingest.errors import VideoError
from ingest.media.file import stamp_of
from tests.rows.claiming import claim
from tests.servers.commands import BY_LOT, castline_here, new_home
from tests.stills.models import write_model_by_lot
from tests.video.clips import write_clip
from tests.waiting import wait_until
from worker.installation import Installation, open_installation
from worker.parameters import RunParameters
from worker.settings import Settings
from worker.steps.extract_step import extract_step

pytestmark = [pytest.mark.integration, pytest.mark.fault]


SIZE_BYTES = 1 << 20
"""Of all videos here: more than any of them needs."""


def padded(clip: Path) -> Path:
    """Bring a clip to that size; players pass over what follows."""
    content = clip.read_bytes()
    assert len(content) < SIZE_BYTES
    clip.write_bytes(content.ljust(SIZE_BYTES, b"\0"))
    return clip


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A home with one chunk in its queue, of a file that was written just before."""
    clip = padded(write_clip(tmp_path / "pilot.mp4", seconds=6))
    home = new_home(tmp_path / "home")
    assert castline_here(home, "enqueue", clip, *BY_LOT).returncode == 0
    with open_installation(Settings.from_environment(home, {})) as installation:
        yield installation


class WatchedDecoder(Decoder):
    """Tells what it asks its child for; before an answer of one kind is used, something happens."""

    def __init__(self, call: str = "", happens: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.calls: list[str] = []
        self._call, self._happens = call, happens

    def _ask(self, call: str, *arguments: Any) -> Any:
        self.calls.append(call)
        answer = super()._ask(call, *arguments)
        if call == self._call:
            self._happens()
        return answer


@pytest.fixture
def settled(installation: Installation, tmp_path: Path) -> Path:
    """The episode's file, of which the database knows by what it is recognised."""
    path = tmp_path / "pilot.mp4"
    wait_until(lambda: stamp_of(path.stat(), time.time()) != "")
    assert castline_here(installation.settings.home, "enqueue", path, *BY_LOT).returncode == 0
    with installation.database.read() as connection:
        assert get_episode(connection, 1).file_stamp
    return path


def other_content(path: Path) -> bytes:
    """Another video of the very same size."""
    return padded(write_clip(path.parent / "other.mp4", seconds=6, seed=2)).read_bytes()


def write_in_place(path: Path, content: bytes) -> None:
    """Write into a file whose time of change stays what it was."""
    times = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def put_in_place(path: Path, content: bytes) -> None:
    """Put another file in a file's place, of the same name, size and time of change."""
    times = path.stat()
    beside = path.with_name("beside")
    beside.write_bytes(content)
    os.utime(beside, ns=(times.st_atime_ns, times.st_mtime_ns))
    beside.rename(path)


def extract_with(installation: Installation, decoder: Decoder) -> None:
    with decoder:
        extract_step(installation, claim(installation, "queued", 60), decoder, lambda _: None)


def assert_nothing_was_extracted(installation: Installation) -> None:
    with installation.database.read() as connection:
        [run] = list_runs(connection)
    assert run.state == "running"
    assert claim(installation, "queued", 60).attempts == 2
    assert not [path for path in installation.settings.frames_folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("replace_content", [write_in_place, put_in_place])
def test_other_content_of_the_same_size_and_time_is_noticed(
    installation: Installation, settled: Path, replace_content: Callable[[Path, bytes], None]
) -> None:
    replace_content(settled, other_content(settled))
    extract_with(installation, Decoder())
    assert_nothing_was_extracted(installation)


@pytest.mark.parametrize("replace_content", [write_in_place, put_in_place])
def test_content_that_is_replaced_as_soon_as_it_was_read_is_noticed(
    installation: Installation, tmp_path: Path, replace_content: Callable[[Path, bytes], None]
) -> None:
    path = tmp_path / "pilot.mp4"
    replace_content(path, other_content(path))
    extract_with(installation, Decoder())
    assert_nothing_was_extracted(installation)


def test_content_that_is_replaced_while_it_is_decoded_is_noticed(
    installation: Installation, settled: Path
) -> None:
    content = other_content(settled)
    extract_with(installation, WatchedDecoder("extract", lambda: write_in_place(settled, content)))
    assert_nothing_was_extracted(installation)


def test_a_file_that_is_put_in_place_while_the_old_one_is_decoded_harms_nothing(
    installation: Installation, settled: Path
) -> None:
    content = other_content(settled)
    extract_with(installation, WatchedDecoder("extract", lambda: put_in_place(settled, content)))
    assert claim(installation, "extracted", 60).attempts == 1, "what was open was the episode"


def test_content_that_is_replaced_before_its_picture_area_is_found_is_refused(
    installation: Installation, tmp_path: Path
) -> None:
    path = padded(write_clip(tmp_path / "second.mp4", seconds=6, seed=3))
    content = other_content(path)
    version = write_model_by_lot(tmp_path / "models")
    with (
        WatchedDecoder("probe", lambda: write_in_place(path, content)) as decoder,
        pytest.raises(VideoError, match="was changed since it was added"),
    ):
        enqueue_episode(
            path,
            database=installation.database,
            decoder=decoder,
            version=version,
            parameters=RunParameters.for_model(version.manifest),
            chunk_seconds=60,
        )


def test_a_file_that_nobody_touched_is_not_read_again(
    installation: Installation, settled: Path
) -> None:
    decoder = WatchedDecoder()
    extract_with(installation, decoder)
    assert decoder.calls == ["extract"]


@pytest.mark.parametrize(
    "touch",
    [
        lambda path: path.chmod(0o600),
        lambda path: path.rename(path.with_name("away")).rename(path),
        lambda path: os.utime(path, ns=(1, 1)),
        lambda path: put_in_place(path, path.read_bytes()),
    ],
    ids=["rights", "name", "time", "copy"],
)
def test_a_file_that_was_only_touched_is_read_once_more_and_still_the_episode(
    installation: Installation, settled: Path, touch: Callable[[Path], object]
) -> None:
    touch(settled)
    wait_until(lambda: stamp_of(settled.stat(), time.time()) != "")
    decoder = WatchedDecoder()
    extract_with(installation, decoder)
    assert decoder.calls == ["hash", "extract"]
    assert claim(installation, "extracted", 60).attempts == 1
    with installation.database.read() as connection:
        assert get_episode(connection, 1).file_stamp == stamp_of(settled.stat(), time.time())
