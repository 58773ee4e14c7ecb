"""What a machine lacks for a while: waited out, said, and never counted against a chunk."""

import errno
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from db.engine import Database
from db.library.runs import list_runs
from db.states import ChunkState, Lane
from ingest.decoder.parent import Decoder
from ingest.errors import ShortageError
from ingest.frames.extract_request import Extracted, Extraction
from ingest.progress import Report
from model.inference.device import Device
from tests.integration.worker.test_steps import OneLabel
from tests.servers.brokers import redis_broker
from tests.servers.commands import BY_LOT, castline_here, new_home
from tests.video.clips import write_clip
from worker.cluster.app import make_app
from worker.cluster.pool_worker import PoolWorker
from worker.embedded.runner import EmbeddedRunner, RunnerOptions
from worker.identity import worker_identity
from worker.installation import Installation, open_installation
from worker.settings import Settings
from worker.steps.claims import claim_step
from worker.steps.classify_step import classify_step
from worker.steps.extract_step import extract_step

pytestmark = [pytest.mark.integration, pytest.mark.fault]

SHORTAGES = (
    MemoryError(),
    RuntimeError("can't start new thread"),
    OSError(errno.EMFILE, "Too many open files"),
    OSError(errno.EAGAIN, "Resource temporarily unavailable"),
)

Chunks = list[tuple[object, ...]]
"""State, attempts, losses, worker and error of the one chunk."""

FREE: Chunks = [("queued", 0, 0, None, None)]
EXTRACTED: Chunks = [("extracted", 0, 0, None, None)]


@pytest.fixture
def installation(database: Database, tmp_path: Path) -> Iterator[Installation]:
    """A home with one chunk in its queue, on both databases."""
    clip = write_clip(tmp_path / "pilot.mp4", seconds=6)
    home = new_home(tmp_path / "home")
    url = database.url.render_as_string(hide_password=False)
    assert castline_here(home, "enqueue", clip, *BY_LOT, database_url=url).returncode == 0
    environment = {"CASTLINE_DATABASE_URL": url}
    with open_installation(Settings.from_environment(home, environment)) as installation:
        yield installation


class LackingDecoder(Decoder):
    """A decoder that meets these errors first."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self._errors = [*errors]

    def extract(self, request: Extraction, on_progress: Report | None = None) -> Extracted:
        if self._errors:
            raise self._errors.pop(0)
        return super().extract(request, on_progress)


def chunks(installation: Installation) -> Chunks:
    with installation.database.read() as connection:
        query = "SELECT state, attempts, losses, worker, error FROM chunk"
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def extract(installation: Installation, decoder: Decoder) -> None:
    [claim] = claim_step(installation, ChunkState.QUEUED, worker_identity(), None)
    extract_step(installation, claim, decoder, lambda _: None)


def classify(installation: Installation, happens: Callable[[], None] = lambda: None) -> None:
    claims = claim_step(installation, ChunkState.EXTRACTED, worker_identity(), None)
    assert len(claims) == 1
    classify_step(installation, claims, lambda _: OneLabel("cedar", happens))


def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("error", SHORTAGES, ids=repr)
def test_a_step_that_lacks_something_gives_its_chunk_back_uncounted(
    installation: Installation, error: Exception
) -> None:
    with LackingDecoder(error) as decoder:
        with pytest.raises(ShortageError):
            extract(installation, decoder)
        assert chunks(installation) == FREE
        extract(installation, decoder)
    assert chunks(installation) == EXTRACTED
    with pytest.raises(ShortageError):
        classify(installation, lambda: fail(error))
    assert chunks(installation) == EXTRACTED
    classify(installation)
    assert chunks(installation)[0][0] == "tagged"


def test_a_step_whose_threads_cannot_start_gives_its_chunk_back_uncounted(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def with_no_thread(step: Callable[[], None], expected: Chunks) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", cannot_start)
            with pytest.raises(ShortageError, match="threads"):
                step()
        assert chunks(installation) == expected

    with Decoder() as decoder:
        with_no_thread(lambda: extract(installation, decoder), FREE)
        extract(installation, decoder)
        with_no_thread(lambda: classify(installation), EXTRACTED)


def test_a_decoder_that_cannot_begin_is_no_fault_of_the_chunk(installation: Installation) -> None:
    with Decoder(command=["false"]) as decoder, pytest.raises(ShortageError, match="cannot begin"):
        extract(installation, decoder)
    assert chunks(installation) == FREE


def test_the_embedded_runner_says_so_and_waits_it_out(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("worker.embedded.runner.SHORTAGE_SECONDS", 0.0)
    options = RunnerOptions(extract_processes=1, device=Device.CPU)
    errors = [*SHORTAGES] * 5  # by far more than a chunk has attempts
    runner = EmbeddedRunner(installation, options, lambda: LackingDecoder(*errors))
    assert runner.run()
    with installation.database.read() as connection:
        [run] = list_runs(connection)
    assert (run.state, run.missing_seconds) == ("done", ())
    assert chunks(installation) == [("tagged", 1, 0, None, None)]
    said = [line for line in caplog.messages if line.startswith("this machine lacks")]
    assert len(said) == len(errors)


def test_a_process_of_celery_says_so_and_goes_on(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("worker.cluster.pool_worker.OTHERS_FIRST_SECONDS", 0.0)
    with redis_broker() as broker:
        installation = replace(
            installation, settings=replace(installation.settings, broker_url=broker.url)
        )
        pool_worker = PoolWorker(installation, make_app(installation.settings), Device.CPU)
        monkeypatch.setattr(pool_worker, "_decoder", LackingDecoder(*SHORTAGES))
        chunk_id = the_chunk(installation)
        for _ in SHORTAGES:
            pool_worker.extract(chunk_id, Lane.BULK)
            assert chunks(installation) == FREE
        pool_worker.extract(chunk_id, Lane.BULK)
        pool_worker.close()
    assert chunks(installation) == EXTRACTED
    said = [line for line in caplog.messages if line.startswith("this machine lacks")]
    assert len(said) == len(SHORTAGES)


def the_chunk(installation: Installation) -> int:
    with installation.database.read() as connection:
        return int(connection.exec_driver_sql("SELECT id FROM chunk").scalar_one())
