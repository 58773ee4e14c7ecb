"""Media roots hold against somebody who exchanges folders and links while a file is opened."""

import ctypes
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ingest.decoder.parent import Decoder
from ingest.errors import IngestError, MediaRefused
from ingest.frames.chunks import ChunkRange
from ingest.frames.extract_request import Extraction
from ingest.media import file as media_file
from ingest.media.file import open_media
from tests.video.clips import write_clip

pytestmark = [
    pytest.mark.integration,
    pytest.mark.fault,
    pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is a call of Linux"),
]

PROBES = 30
"""While folder and link are exchanged all the time; of 22 enqueues 6 took in a file from outside
when the path was resolved twice."""

AT_FDCWD, RENAME_EXCHANGE = -100, 2
"""Of <fcntl.h> and <linux/fs.h>."""

EXCHANGING = f"""
import ctypes, sys
renameat2 = ctypes.CDLL(None).renameat2
first, second = (name.encode() for name in sys.argv[1:])
print("begun", flush=True)
while True:
    assert renameat2({AT_FDCWD}, first, {AT_FDCWD}, second, {RENAME_EXCHANGE}) == 0
"""


@dataclass(frozen=True)
class Scene:
    """A media root with a folder of its own, and a link that leads out of it."""

    root: Path
    shows: Path
    link: Path
    inside_sha256: str

    @property
    def episode(self) -> Path:
        """What is asked for: inside as long as the folder is in its place."""
        return self.shows / "episode.mp4"

    def exchange(self) -> None:
        """Put the link in the folder's place, or back."""
        names = (os.fsencode(path) for path in (self.shows, self.link))
        first, second = names
        done = ctypes.CDLL(None).renameat2(AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE)
        assert done == 0


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    shows, outside = tmp_path / "root" / "shows", tmp_path / "outside"
    for folder, seed in ((shows, 1), (outside, 2)):
        folder.mkdir(parents=True)
        write_clip(folder / "episode.mp4", seconds=2, seed=seed)
    link = tmp_path / "root" / "link"
    link.symlink_to(outside)
    inside = sha256(shows / "episode.mp4")
    assert inside != sha256(outside / "episode.mp4")
    return Scene(tmp_path / "root", shows, link, inside)


class ExchangingDecoder(Decoder):
    """After the parent checked the path, and before its child hears of it, the link comes in."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(media_roots=(scene.root,))
        self.exchange: Callable[[], None] = lambda: None

    def _ask(self, *arguments: Any) -> Any:
        self.exchange()
        return super()._ask(*arguments)


def test_the_child_reads_what_the_parent_checked(scene: Scene, tmp_path: Path) -> None:
    with ExchangingDecoder(scene) as decoder:
        decoder.exchange = scene.exchange
        described = decoder.probe(scene.episode)
        assert described.sha256 == scene.inside_sha256
        scene.exchange()
        decoder.exchange = lambda: None
        chunk = ChunkRange(described.start_pts, described.end_pts)
        asked = Extraction.of(
            described,
            described.path,
            chunk,
            described.time_base,
            described.whole_frame,
            tmp_path / "a.zip",
        )
        frames = decoder.extract(asked).sampled_pts
        decoder.exchange = scene.exchange  # before each of what it asks
        assert decoder.extract(asked).sampled_pts == frames


def test_a_link_that_comes_in_after_the_path_was_resolved_is_not_followed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    root_of = media_file._root_of

    def exchanged(*arguments: Any) -> Path | None:
        found = root_of(*arguments)
        scene.exchange()
        return found

    monkeypatch.setattr(media_file, "_root_of", exchanged)
    with (
        pytest.raises(IngestError, match="was moved while it was opened; try again"),
        open_media(scene.episode, (scene.root,)),
    ):
        pass


@pytest.fixture
def attack(scene: Scene) -> Iterator[None]:
    """Exchanges folder and link as fast as it can."""
    command = [sys.executable, "-c", EXCHANGING, str(scene.shows), str(scene.link)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as attacker:
        assert attacker.stdout is not None
        assert attacker.stdout.readline() == b"begun\n"
        try:
            yield
        finally:
            attacker.kill()


@pytest.mark.usefixtures("attack")
def test_no_file_from_outside_comes_in_while_folder_and_link_are_exchanged(scene: Scene) -> None:
    taken: list[str] = []
    with Decoder(media_roots=(scene.root,)) as decoder:
        for _ in range(PROBES):
            try:
                taken.append(decoder.probe(scene.episode).sha256)
            except IngestError as error:
                assert "\n" not in str(error)  # noqa: PT017 (either may come)
    assert set(taken) <= {scene.inside_sha256}


def test_links_within_the_roots_are_followed_as_before(scene: Scene, tmp_path: Path) -> None:
    within = scene.root / "within"
    within.symlink_to(scene.shows)
    other_root = tmp_path / "other"
    other_root.symlink_to(tmp_path / "outside")  # a root may itself be a link
    with Decoder(media_roots=(scene.root, other_root)) as decoder:
        assert decoder.probe(within / "episode.mp4").sha256 == scene.inside_sha256
        found = decoder.probe(scene.link / "episode.mp4")
    assert found.path == str(tmp_path / "outside" / "episode.mp4"), "it leads into another root"


def test_a_link_to_a_file_is_followed_to_within_the_roots_alone(
    scene: Scene, tmp_path: Path
) -> None:
    inward, outward = scene.root / "inward.mp4", scene.root / "outward.mp4"
    inward.symlink_to(scene.episode)
    outward.symlink_to(tmp_path / "outside" / "episode.mp4")
    with Decoder(media_roots=(scene.root,)) as decoder:
        found = decoder.probe(inward)
        assert (found.sha256, found.path) == (scene.inside_sha256, str(scene.episode))
        with pytest.raises(MediaRefused, match="lies outside the media folders"):
            decoder.probe(outward)


def test_a_file_that_becomes_a_link_after_it_was_resolved_is_not_followed(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root_of = media_file._root_of

    def exchanged(*arguments: Any) -> Path | None:
        found = root_of(*arguments)
        scene.episode.unlink()
        scene.episode.symlink_to(tmp_path / "outside" / "episode.mp4")
        return found

    monkeypatch.setattr(media_file, "_root_of", exchanged)
    link = scene.root / "link.mp4"
    link.symlink_to(scene.episode)
    with (
        pytest.raises(IngestError, match="was moved while it was opened; try again"),
        open_media(link, (scene.root,)),
    ):
        pass


def test_a_single_file_may_be_a_root(scene: Scene) -> None:
    with open_media(scene.episode, (scene.episode,)) as file:
        assert file.path == scene.episode
