"""Notify workers of free chunks by messages in the broker's queues."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from celery import Celery
from celery.utils.log import get_task_logger
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import RedisError

from db.queue.free import chunks_ahead
from db.queue.offers import offered_groups
from db.retrying import retry_on_disconnect
from db.states import Lane, Step
from worker.cluster.app import TASKS, queue_name
from worker.errors import BrokerError
from worker.installation import Installation

logger = get_task_logger(__name__)


def publish(app: Celery, step: Step, lane: Lane, chunk_ids: Sequence[int]) -> None:
    """Publish a message for each of these chunks to the queue of a step's lane.

    Raises:
        BrokerError: The broker does not accept them.
    """
    with _one_line_errors(app), app.producer_or_acquire() as producer:
        for chunk_id in chunk_ids:
            app.send_task(
                TASKS[step],
                [chunk_id],
                queue=queue_name(step, lane),
                producer=producer,
            )


def offer(installation: Installation, app: Celery, steps: Iterable[Step] = tuple(Step)) -> int:
    """Publish missing messages, so that each queue has as many as there are groups of free chunks.

    Where a queue holds fewer messages, some were lost or never published; queues are in order of
    time, so the messages of the oldest groups are missing. A group that is published again is still
    claimed only once.

    Extraction gets no more than may be ahead of classification.

    Returns:
        The number of messages published.

    Raises:
        BrokerError: The broker does not answer, or does not accept messages.
    """
    published = 0
    for lane in Lane:
        for step in steps:
            waiting = messages_in(app, step, lane)
            free = _offered(installation, step, lane)
            lacking = free[: max(len(free) - waiting, 0)]
            publish(app, step, lane, lacking)
            published += len(lacking)
    return published


def top_up(installation: Installation, app: Celery, tagged: int) -> None:
    """Publish the groups that may be extracted after `tagged` more chunks were tagged.

    These are the last ones that may be offered. The others were published before: the sweeper
    replaces lost messages.

    Raises:
        BrokerError: The broker does not accept messages.
    """
    for lane, chunk_ids in _newly_offered(installation, tagged).items():
        if chunk_ids:
            publish(app, Step.EXTRACT, lane, chunk_ids)


def messages_in(app: Celery, step: Step, lane: Lane) -> int:
    """Return the number of messages in the queue of a step's lane.

    Raises:
        BrokerError: The broker does not answer.
    """
    with _one_line_errors(app), app.connection_or_acquire() as connection:
        # Queries Redis directly: Kombu's way takes twice as long.
        return int(connection.default_channel.client.llen(queue_name(step, lane)))


@contextmanager
def suppressing_broker_errors() -> Iterator[None]:
    """Continue without the broker: the sweeper publishes the missing messages later."""
    try:
        yield
    except BrokerError as error:
        logger.warning("%s", error)


@retry_on_disconnect
def _newly_offered(installation: Installation, tagged: int) -> dict[Lane, list[int]]:
    most = installation.settings.chunks_ahead
    with installation.database.read() as connection:
        most -= chunks_ahead(connection, most)
        before = max(most - tagged, 0)
        return {
            lane: offered_groups(connection, Step.EXTRACT.takes, lane, most, before)
            for lane in Lane
        }


@retry_on_disconnect
def _offered(installation: Installation, step: Step, lane: Lane) -> list[int]:
    most = installation.settings.chunks_ahead
    with installation.database.read() as connection:
        if step is Step.EXTRACT:
            most -= chunks_ahead(connection, most)
        return offered_groups(connection, step.takes, lane, most)


@contextmanager
def _one_line_errors(app: Celery) -> Iterator[None]:
    try:
        yield
    except (KombuError, OperationalError, RedisError, OSError) as error:
        shown = app.connection_for_write().as_uri()
        cause = " ".join(str(error).split()) or type(error).__name__
        raise BrokerError(
            f"{shown}: the broker cannot be used ({cause}); check that it runs;"
            " enqueued runs are kept and offered when it is back"
        ) from error
