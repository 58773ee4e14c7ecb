"""Filter incoming messages: foreign ones are refused before Celery parses them.

Anybody who can write to the broker can write anything there, and a message that Celery cannot parse
ends its process. So only the chunk's number and the number of retries pass through; the rest of
each message is constructed again. Celery's remote control, which could end workers, is ignored.
"""

import binascii
import json
import logging
import uuid
from base64 import b64decode
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import redis
from celery import Celery, bootsteps

from worker.cluster.app import KEY_PREFIX, TASKS, TRIES_AFTER_LOSS, step_of

LARGEST_BYTES: Final = 1 << 16
"""Largest accepted message; Castline's own have about a thousand bytes."""

LARGEST_CHUNK: Final = 2**63 - 1
"""Largest chunk number that fits into the database's column."""

SHOWN_LETTERS: Final = 80
"""Characters of a refused message in the log."""

log = logging.getLogger(__name__)


class RefusedError(Exception):
    """The message is not one of Castline's; says why."""


def set_up_door(app: Celery, count_refused: Callable[[], None]) -> None:
    """Make all messages for a worker of this app pass through `admitted`.

    Args:
        app: The app, before its worker is started.
        count_refused: Called for each refused message.
    """

    def take(reply: Any, **_: object) -> tuple[bytes, bytes] | None:
        if not reply:
            return None
        key, item = reply
        queue = key.decode(errors="replace").removeprefix(KEY_PREFIX)
        try:
            return key, admitted(queue, item)
        except RefusedError as error:
            count_refused()
            shown = item[:SHOWN_LETTERS].decode(errors="replace")
            log.warning("refused a message in %s: %s, received %r", queue, error, shown)
            return None  # as if nothing had arrived

    def refuse_taken(tag: object) -> None:
        count_refused()
        log.warning("refused a malformed unacknowledged message: %.80r", tag)

    class Door(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
        """Starts after the component that opens the connection, each time it does."""

        requires = (
            "celery.worker.consumer.tasks:Tasks",
            "celery.worker.consumer.control:Control",
        )

        def start(self, consumer: Any) -> None:
            consumer.task_consumer.channel.client.set_response_callback("BRPOP", take)
            for channel in consumer.connection.transport.channels:
                give_back_messages_alone(channel.qos, refuse_taken)
                if channel.active_fanout_queues:
                    channel.handlers["LISTEN"] = partial(_hear, channel)

    app.steps["consumer"].add(Door)


def give_back_messages_alone(taken: Any, refuse: Callable[[object], None]) -> None:
    """Return unacknowledged messages to their queue only if they are well-formed.

    A foreign message among them would end Celery's process each time it restores messages. Losing a
    message changes nothing but the time of the work.

    Args:
        taken: A channel's record of the messages it took.
        refuse: Called with the name of each message that was not returned.
    """
    give_back = taken.restore_by_tag

    def give_back_a_message(tag: object, client: Any = None, leftmost: bool = False) -> None:
        try:
            give_back(tag, client, leftmost)
        except redis.exceptions.RedisError:  # an error of the broker, not of its content
            raise
        except Exception:  # Celery's JSON decoding may raise anything
            with taken.pipe_or_acquire(client=client) as pipe:
                pipe.zrem(taken.unacked_index_key, tag).hdel(taken.unacked_key, tag).execute()
            refuse(tag)

    taken.restore_by_tag = give_back_a_message


def _hear(channel: Any) -> None:
    """Read broadcasts to all workers, and ignore them.

    They must be read: a worker whose processes are all busy notices only in this way that its
    connection was cut. Otherwise it would continue without the messages that it could not
    acknowledge, and take no more.
    """
    channel.subclient.parse_response()
    while channel.subclient.connection.can_read(timeout=0):
        channel.subclient.parse_response()


def admitted(queue: str, item: bytes) -> bytes:
    """Return the message for a worker, constructed from the one received.

    Args:
        queue: The queue of the message.
        item: The content received.

    Returns:
        The message as Kombu stores it.

    Raises:
        RefusedError: It is not a message about a chunk.
    """
    task = TASKS[step_of(queue)]
    came = _mapping(_json(item, "the message"), "the message")
    headers = _mapping(came.get("headers"), "its headers")
    if headers.get("task") != task:
        raise RefusedError(f"it does not ask for {task}")
    if came.get("content-type") != "application/json":
        raise RefusedError("its content is not JSON")
    retries = headers.get("retries", 0)
    if type(retries) is not int or not 0 <= retries <= TRIES_AFTER_LOSS:
        raise RefusedError(f"retries: 0 to {TRIES_AFTER_LOSS}")
    return json.dumps(_message(queue, task, _chunk_id(came), retries)).encode()


def _chunk_id(came: dict[str, Any]) -> int:
    body = came.get("body")
    if not isinstance(body, str):
        raise RefusedError("its body is not text")
    if _mapping(came.get("properties"), "its properties").get("body_encoding") == "base64":
        try:
            body = b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise RefusedError("its body is not base64") from error
    match _json(body, "its body"):
        case [[int(chunk_id)], {}, {}] if type(chunk_id) is int and 0 < chunk_id <= LARGEST_CHUNK:
            return chunk_id
        case _:
            raise RefusedError("its body does not hold the number of a chunk alone")


def _json(text: str | bytes, what: str) -> Any:
    if len(text) > LARGEST_BYTES:
        raise RefusedError(f"{what} is longer than {LARGEST_BYTES} bytes")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"{what} is not JSON") from error


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RefusedError(f"{what}: no mapping")
    return value


def _message(queue: str, task: str, chunk_id: int, retries: int) -> dict[str, Any]:
    """Return a message of Celery's protocol 2 in Kombu's format, with all fields fixed."""
    name = str(uuid.uuid4())
    return {
        "body": json.dumps([[chunk_id], {}, {}]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": task,
            "id": name,
            "root_id": name,
            "parent_id": None,
            "retries": retries,
            "timelimit": [None, None],
            "argsrepr": f"({chunk_id},)",
            "kwargsrepr": "{}",
            "ignore_result": True,
        },
        "properties": {
            "correlation_id": name,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "delivery_tag": str(uuid.uuid4()),
        },
    }
