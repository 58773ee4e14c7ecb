"""The same episode enqueued by many at once, under several names, is one episode with one run."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from castline.tagging.enqueue import enqueue_episode
from db.engine import Database
from db.library.episodes import list_episodes
from db.library.runs import list_runs
from exact.picture_area import PictureArea
from ingest.decoder.parent import Content, Decoder
from ingest.media.probe import Probe
from ingest.progress import Report
from tests.rows.found import table_counts
from tests.servers.commands import BY_LOT, end_of, new_home, start_castline
from tests.stills.models import write_model_by_lot
from tests.video.clips import write_clip
from tests.waiting import PATIENCE_SECONDS
from worker.parameters import RunParameters

pytestmark = [pytest.mark.integration, pytest.mark.fault]

AT_ONCE = 50


class RememberedProbes(Decoder):
    """A decoder that has looked at its files beforehand, so that all can answer at one moment."""

    def __init__(self, paths: list[Path], ready: threading.Barrier) -> None:
        super().__init__()
        self._ready = ready
        with Decoder() as decoder:
            self._probes = {path: decoder.probe(path) for path in paths}

    def probe(self, path: Path, on_progress: Report | None = None) -> Probe:
        self._ready.wait(PATIENCE_SECONDS)
        return self._probes[path]

    def find_picture_area(self, probe: Probe, on_progress: Report | None = None) -> PictureArea:
        return probe.whole_frame

    def prove(self, path: Path, content: Content) -> None:
        assert content.sha256 == self._probes[path].sha256


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One content under two names."""
    folder = tmp_path_factory.mktemp("names")
    first = write_clip(folder / "first.mp4", seconds=10)
    return [first, Path(shutil.copy(first, folder / "second.mp4"))]


def test_fifty_enqueues_at_once_make_one_run(
    names: list[Path], database: Database, tmp_path: Path
) -> None:
    version = write_model_by_lot(tmp_path / "models")
    decoder = RememberedProbes(names, threading.Barrier(AT_ONCE))

    def enqueue(number: int) -> tuple[int, bool]:
        enqueued = enqueue_episode(
            names[number % len(names)],
            database=database,
            decoder=decoder,
            version=version,
            parameters=RunParameters.for_model(version.manifest),
            chunk_seconds=2,
        )
        return enqueued.run.id, enqueued.is_new

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(enqueue, range(AT_ONCE)))
    assert len({run_id for run_id, _ in answers}) == 1
    assert sum(is_new for _, is_new in answers) == 1
    with database.read() as connection:
        assert len(list_episodes(connection)) == 1
        [run] = list_runs(connection)
    assert run.chunks_total >= 4


def test_four_commands_at_once_on_a_new_home_make_one_run(
    names: list[Path], tmp_path: Path
) -> None:
    home = new_home(tmp_path / "home")
    started = [start_castline(home, "enqueue", path, *BY_LOT) for path in names * 2]
    ended = [end_of(process) for process in started]
    assert [item.returncode for item in ended] == [0, 0, 0, 0], [item.stderr for item in ended]
    counts = table_counts(home, "episode", "run", "chunk", "model_version")
    assert counts == {"episode": 1, "run": 1, "chunk": 1, "model_version": 1}
