"""Messages for chunks: on a real broker, each group of chunks that may be extracted has one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from celery import Celery

from db.engine import Database
from db.queue.claims import claim_chunks
from db.queue.completing import complete_extractions, complete_taggings
from db.queue.free import CHUNKS_PER_GROUP
from db.records import ExtractedChunk
from db.states import ChunkState
from tests.rows.records import make_run
from tests.servers.brokers import redis_broker
from worker.cluster.app import make_app
from worker.cluster.offering import offer, top_up
from worker.installation import Installation
from worker.settings import Settings

pytestmark = pytest.mark.integration

SECOND, THIRD = CHUNKS_PER_GROUP + 1, 2 * CHUNKS_PER_GROUP + 1
"""Which chunks begin the groups after the first."""

GROUP_AND_A_HALF = CHUNKS_PER_GROUP * 3 // 2


@pytest.fixture(scope="module")
def broker_url() -> Iterator[str]:
    with redis_broker() as broker:
        yield broker.url


@pytest.fixture
def installation(database: Database, tmp_path: Path, broker_url: str) -> Installation:
    """Three groups of chunks are queued; one and a half may be extracted and not yet tagged."""
    make_run(database, chunks=tuple((start, start + 1) for start in range(3 * CHUNKS_PER_GROUP)))
    settings = Settings(
        tmp_path, str(database.url), broker_url=broker_url, chunks_ahead=GROUP_AND_A_HALF
    )
    return Installation(settings, database)


@pytest.fixture
def app(installation: Installation) -> Iterator[Celery]:
    made = make_app(installation.settings)
    yield made
    made.control.purge()
    made.close()


def taken(app: Celery, most: int = 100) -> list[int]:
    """Which chunks the messages of a queue tell of, in their order; they are gone then."""
    chunk_ids: list[int] = []
    with app.connection_or_acquire() as connection:
        queue = app.amqp.queues["extract.bulk"].bind(connection.default_channel)
        while len(chunk_ids) < most and (message := queue.get()):
            message.ack()
            chunk_ids.append(message.payload[0][0])
    return chunk_ids


def tag(installation: Installation, chunks: int) -> None:
    """Does all the work on the next chunks."""
    with installation.database.write() as connection:
        for claim in claim_chunks(connection, ChunkState.QUEUED, "w", 60, limit=chunks):
            assert complete_extractions(connection, {claim: ExtractedChunk((), 0, 0, ())})
        extracted = claim_chunks(connection, ChunkState.EXTRACTED, "w", 60, limit=chunks)
        assert len(extracted) == chunks
        for claim in extracted:
            assert complete_taggings(connection, [claim])


def test_what_comes_within_the_limit_is_published_and_nothing_twice(
    installation: Installation, app: Celery
) -> None:
    assert offer(installation, app) == 2
    assert taken(app, 1) == [1]
    tag(installation, CHUNKS_PER_GROUP)
    top_up(installation, app, CHUNKS_PER_GROUP)
    assert taken(app) == [SECOND, THIRD]


def test_nothing_is_published_again_where_all_was_within_the_limit(
    installation: Installation, app: Celery
) -> None:
    roomy = replace(installation, settings=replace(installation.settings, chunks_ahead=100))
    assert offer(roomy, app) == 3
    assert taken(app, 1) == [1]
    tag(roomy, CHUNKS_PER_GROUP)
    top_up(roomy, app, CHUNKS_PER_GROUP)
    assert taken(app) == [SECOND, THIRD]


def test_what_the_limit_left_of_a_group_is_published_when_there_is_room(
    installation: Installation, app: Celery
) -> None:
    assert offer(installation, app) == 2
    assert taken(app) == [1, SECOND]
    with installation.database.write() as connection:
        claims = claim_chunks(connection, ChunkState.QUEUED, "w", 60, limit=GROUP_AND_A_HALF)
        assert complete_extractions(
            connection, {one: ExtractedChunk((), 0, 0, ()) for one in claims}
        )
    with installation.database.write() as connection:
        tagged = claim_chunks(connection, ChunkState.EXTRACTED, "w", 60, limit=CHUNKS_PER_GROUP)
        assert complete_taggings(connection, tagged) == tagged
    top_up(installation, app, CHUNKS_PER_GROUP)
    assert taken(app) == [GROUP_AND_A_HALF + 1, THIRD]


def test_the_oldest_whose_message_was_lost_is_offered_again(
    installation: Installation, app: Celery
) -> None:
    assert offer(installation, app) == 2
    assert taken(app, 1) == [1]
    assert offer(installation, app) == 1
    assert taken(app) == [SECOND, 1]
