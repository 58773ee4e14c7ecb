"""Groups of chunks: extracted together, each for itself, and heard of by one message."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from celery import Celery
from numpy.typing import NDArray

from db.engine import Database
from db.records import Claim
from db.schema import chunk
from db.states import Lane, Step
from ingest.decoder.parent import Decoder
from ingest.errors import FrameStoreError, VideoError
from ingest.frames.extract_request import Extracted, Extraction
from ingest.progress import Report
from ingest.storage.frame_store import StoredFrame, write_frames
from model.inference.classifier import Classifier, Prediction
from model.inference.device import Device
from tests.rows.records import made_episode, make_run
from tests.servers.brokers import redis_broker
from worker.cluster.app import make_app, queue_name
from worker.cluster.offering import messages_in, offer, publish
from worker.cluster.pool_worker import SHARING_PROCESSES, PoolWorker
from worker.errors import BrokerError, WorkStoppedError
from worker.identity import worker_identity
from worker.installation import Installation
from worker.settings import Settings
from worker.steps.claims import claim_to_extract, sweep
from worker.steps.classifiers import LoadedClassifiers
from worker.steps.extract_step import extract_group

pytestmark = pytest.mark.integration

ME = "here/1/1.0"
CHUNK_PTS = 1000
GREY = np.full((16, 16, 3), 128, np.uint8)


class GreyDecoder(Decoder):
    """Stores two grey frames of each chunk; `meets` is told of its start before."""

    def __init__(self, meets: Callable[[int], None] = lambda _: None) -> None:
        super().__init__()
        self._meets = meets

    def extract(self, request: Extraction, on_progress: Report | None = None) -> Extracted:
        self._meets(request.start_pts)
        if on_progress:
            on_progress(1)
        times = (request.start_pts, request.start_pts + CHUNK_PTS // 2)
        frames = (StoredFrame(pts, GREY) for pts in times)
        write_frames(Path(request.store_path), frames, request.store_manifest)
        return Extracted(times, 24, 0, ())


class OneLabel(Classifier):
    """Sees the same everywhere."""

    frames_per_batch = 8

    def batch_fill(self, _frames: int) -> float:
        return 1.0

    def __init__(self) -> None:
        """Loads nothing."""

    def classify(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Prediction, ...]]:
        return [(Prediction("ned_flanders", "full", 0.9),) for _ in frames]


class OneClassifier(LoadedClassifiers):
    """Loads it when it is asked to."""

    _classifier: Classifier | None = None

    def loaded(self, sha256: str) -> Classifier | None:
        return self._classifier

    def load(self, sha256: str) -> Classifier:
        self._classifier = OneLabel()
        return self._classifier


class MadePoolWorker(PoolWorker):
    """A worker's process without decoder and network."""

    def __init__(self, installation: Installation, app: Celery) -> None:
        super().__init__(installation, app, Device.CPU)
        self._decoder = GreyDecoder()
        self._classifiers = OneClassifier(installation.settings, Device.CPU)


@pytest.fixture(scope="module")
def broker_url() -> Iterator[str]:
    with redis_broker() as broker:
        yield broker.url


@pytest.fixture
def installation(database: Database, tmp_path: Path, broker_url: str) -> Installation:
    return Installation(Settings(tmp_path, str(database.url), broker_url=broker_url), database)


@pytest.fixture
def app(installation: Installation) -> Iterator[Celery]:
    made = make_app(installation.settings)
    yield made
    made.control.purge()
    made.close()


def add_run(installation: Installation, chunks: int, number: int = 0) -> int:
    """A run of an episode whose file is there."""
    path = installation.settings.home / f"{number}.mkv"
    path.touch()
    end_pts = chunks * CHUNK_PTS
    episode = replace(
        made_episode(f"{number:064x}", path.name),
        uri=str(path),
        end_pts=end_pts,
        key_pts=tuple(range(0, end_pts, CHUNK_PTS)),
    )
    ranges = tuple((start, start + CHUNK_PTS) for start in range(0, end_pts, CHUNK_PTS))
    return make_run(installation.database, episode, chunks=ranges)


def extract(
    installation: Installation,
    meets: Callable[[int], None] = lambda _: None,
    on_progress: Callable[[Claim, int], None] = lambda _claim, _frames: None,
) -> list[int]:
    """Claims and extracts the first group; the starts of what is extracted then."""
    claimed, rest = claim_to_extract(installation, ME, 1, most=4)
    assert len(claimed) == 4
    assert rest is None
    done = extract_group(installation, claimed, GreyDecoder(meets), on_progress)
    return [claim.start_pts for claim in done]


def chunks_of(installation: Installation) -> list[tuple[str, str | None, int, int]]:
    """State, worker, attempts and losses of each chunk."""
    with installation.database.read() as connection:
        columns = (chunk.c.state, chunk.c.worker, chunk.c.attempts, chunk.c.losses)
        rows = connection.execute(chunk.select().with_only_columns(*columns).order_by(chunk.c.id))
        return [tuple(row) for row in rows]


FREE, EXTRACTED = ("queued", None, 0, 0), ("extracted", None, 0, 0)


def test_a_chunk_that_fails_costs_the_others_of_its_group_nothing(
    installation: Installation,
) -> None:
    def breaks(start_pts: int) -> None:
        if start_pts == CHUNK_PTS:
            raise VideoError("it broke")

    add_run(installation, 4)
    assert extract(installation, breaks) == [0, 2 * CHUNK_PTS, 3 * CHUNK_PTS]
    assert chunks_of(installation) == [EXTRACTED, ("queued", None, 1, 0), EXTRACTED, EXTRACTED]


def test_a_stop_keeps_what_is_extracted_and_offers_the_rest(installation: Installation) -> None:
    def stops(claim: Claim, _frames: int) -> None:
        if claim.start_pts == 2 * CHUNK_PTS:
            raise WorkStoppedError("stopped")

    add_run(installation, 4)
    with pytest.raises(WorkStoppedError):
        extract(installation, on_progress=stops)
    assert chunks_of(installation) == [EXTRACTED, EXTRACTED, FREE, FREE]


def test_a_frame_store_that_cannot_be_written_costs_no_chunk_of_a_group_anything(
    installation: Installation,
) -> None:
    def fills_the_disk(start_pts: int) -> None:
        if start_pts == CHUNK_PTS:
            raise FrameStoreError("no space")

    add_run(installation, 4)
    with pytest.raises(FrameStoreError, match="no space"):
        extract(installation, fills_the_disk)
    assert chunks_of(installation) == [EXTRACTED, FREE, FREE, FREE]


def test_what_is_not_begun_in_time_is_offered_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.steps.extract_step.BEGUN_WITHIN_SECONDS", -1)
    add_run(installation, 4)
    assert extract(installation) == [0]
    assert chunks_of(installation) == [EXTRACTED, FREE, FREE, FREE]


def test_a_worker_that_vanishes_costs_its_group_a_loss_each_and_they_are_alone_then(
    installation: Installation,
) -> None:
    add_run(installation, 5)
    host, pid, _, scope = worker_identity().rsplit("/", 3)
    gone = f"{host}/{pid}/no such start/{scope}"
    assert len(claim_to_extract(installation, gone, 1, most=4)[0]) == 4
    assert sweep(installation) == 4
    assert chunks_of(installation) == [("queued", None, 1, 1)] * 4 + [FREE]
    [alone], _ = claim_to_extract(installation, ME, 2, most=4)
    assert alone.claim.chunk_id == 2


def test_a_single_episode_is_shared_chunk_by_chunk_and_of_many_whole_groups_are_taken(
    installation: Installation, app: Celery
) -> None:
    worker = MadePoolWorker(installation, app)
    add_run(installation, 4)
    assert offer(installation, app) == 1
    worker.extract(taken(app, Step.EXTRACT), Lane.BULK)
    assert chunks_of(installation) == [EXTRACTED, FREE, FREE, FREE]
    assert taken(app, Step.CLASSIFY) == 1
    assert taken(app, Step.EXTRACT) == 2, "for another process"
    publish(app, Step.EXTRACT, Lane.BULK, [2] * SHARING_PROCESSES)
    worker.extract(2, Lane.BULK)
    assert chunks_of(installation) == [EXTRACTED] * 4
    assert taken(app, Step.CLASSIFY) == 2
    assert messages_in(app, Step.CLASSIFY, Lane.BULK) == 0, "one for all three"


def test_a_group_is_left_after_a_chunk_when_something_interactive_waits(
    installation: Installation, app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.cluster.pool_worker.LANE_CHECK_SECONDS", 0.0)
    add_run(installation, 4)
    publish(app, Step.EXTRACT, Lane.BULK, [1] * SHARING_PROCESSES)
    publish(app, Step.EXTRACT, Lane.INTERACTIVE, [100])
    MadePoolWorker(installation, app).extract(1, Lane.BULK)
    assert chunks_of(installation) == [EXTRACTED, FREE, FREE, FREE]


def test_what_is_claimed_is_extracted_though_the_broker_is_gone(
    installation: Installation, app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> int:
        asked.append(1)
        raise BrokerError("gone")

    asked: list[int] = []
    monkeypatch.setattr("worker.cluster.pool_worker.messages_in", gone)
    monkeypatch.setattr("worker.cluster.pool_worker.LANE_CHECK_SECONDS", 0.0)
    add_run(installation, 4)
    MadePoolWorker(installation, app).extract(1, Lane.BULK)
    assert chunks_of(installation) == [EXTRACTED] * 4
    assert len(asked) == 1, "each question takes seconds"


@pytest.mark.parametrize(
    ("chunks_ahead", "first"), [(1, "extract"), (3, "classify"), (6, "extract"), (50, "classify")]
)
def test_whatever_may_be_ahead_no_chunk_waits_for_the_sweeper(
    chunks_ahead: int, first: str, installation: Installation, app: Celery
) -> None:
    installation = replace(
        installation, settings=replace(installation.settings, chunks_ahead=chunks_ahead)
    )
    for number, chunks in enumerate((7, 4, 1)):
        add_run(installation, chunks, number)
    worker = MadePoolWorker(installation, app)
    offer(installation, app)
    steps = sorted(Step, key=lambda step: step != first)
    while step := next((one for one in steps if messages_in(app, one, Lane.BULK)), None):
        chunk_id = taken(app, step)
        if step is Step.EXTRACT:
            worker.extract(chunk_id, Lane.BULK)
            assert [row[0] for row in chunks_of(installation)].count("extracted") <= chunks_ahead
        else:
            worker.classify(chunk_id)
    assert chunks_of(installation) == [("tagged", None, 1, 0)] * 12
    assert not any(messages_in(app, step, lane) for step in Step for lane in Lane)


def taken(app: Celery, step: Step) -> int:
    """The chunk that the next message tells of; it is gone then."""
    with app.connection_or_acquire() as connection:
        message = (
            app.amqp.queues[queue_name(step, Lane.BULK)].bind(connection.default_channel).get()
        )
        assert message is not None
        message.ack()
        return int(message.payload[0][0])
