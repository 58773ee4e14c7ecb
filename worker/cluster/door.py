"""Where messages come in: what is not one of Castline's own is refused before Celery reads it.

Whoever can write to the broker can write anything there, and what Celery cannot read ends its
process. So nothing of a message goes further but the chunk's number, and how often its task was
tried; the rest is written anew. Celery's remote control, which could end workers, is not obeyed.
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
"""Castline's own have about a thousand."""

LARGEST_CHUNK: Final = 2**63 - 1
"""That a database has a column for."""

SHOWN_LETTERS: Final = 80
"""Of a refused message, in the log."""

log = logging.getLogger(__name__)


class RefusedError(Exception):
    """This is not one of Castline's messages; says why not."""


def set_up_door(app: Celery, count_refused: Callable[[], None]) -> None:
    """Has all messages that a worker of this app takes pass through `admitted`.

    Args:
        app: Before its worker is started.
        count_refused: Called for each message that was refused.
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
            return None  # as if nothing had come

    def refuse_taken(tag: object) -> None:
        count_refused()
        log.warning("refused what stands for an unacknowledged message: %.80r", tag)

    class Door(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
        """Begins after what opens the connection, as often as that does."""

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
    """Has what was taken, and not acknowledged for long, come back to its queue only if it can.

    What is none of Celery's own would end its process, each time that it looks. A message that is
    lost so changes nothing but the moment of the work.

    Args:
        taken: A channel's account of what was taken from it.
        refuse: Called with the name of what was not given back.
    """
    give_back = taken.restore_by_tag

    def give_back_a_message(tag: object, client: Any = None, leftmost: bool = False) -> None:
        try:
            give_back(tag, client, leftmost)
        except redis.exceptions.RedisError:  # of the broker, not of what it holds
            raise
        except Exception:  # what Celery makes of its JSON may raise anything
            with taken.pipe_or_acquire(client=client) as pipe:
                pipe.zrem(taken.unacked_index_key, tag).hdel(taken.unacked_key, tag).execute()
            refuse(tag)

    taken.restore_by_tag = give_back_a_message


def _hear(channel: Any) -> None:
    """Reads what is said to all workers, and does nothing about it.

    It is read nevertheless: a worker whose processes all have work hears by this alone that its
    connection was cut. Else it goes on without what it could not acknowledge, and takes no more.
    """
    channel.subclient.parse_response()
    while channel.subclient.connection.can_read(timeout=0):
        channel.subclient.parse_response()


def admitted(queue: str, item: bytes) -> bytes:
    """The message that a worker may read, made of what came.

    Args:
        queue: Where it came from.
        item: What was taken from there.

    Raises:
        RefusedError: It is not a message that tells of a chunk.
    """
    task = TASKS[step_of(queue)]
    came = _mapping(_json(item, "the message"), "the message")
    headers = _mapping(came.get("headers"), "its headers")
    if headers.get("task") != task:
        raise RefusedError(f"it does not ask for {task}")
    if came.get("content-type") != "application/json":
        raise RefusedError("its content is no JSON")
    retries = headers.get("retries", 0)
    if type(retries) is not int or not 0 <= retries <= TRIES_AFTER_LOSS:
        raise RefusedError(f"retries: 0 to {TRIES_AFTER_LOSS}")
    return json.dumps(_message(queue, task, _chunk_id(came), retries)).encode()


def _chunk_id(came: dict[str, Any]) -> int:
    body = came.get("body")
    if not isinstance(body, str):
        raise RefusedError("its body is no text")
    if _mapping(came.get("properties"), "its properties").get("body_encoding") == "base64":
        try:
            body = b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise RefusedError("its body is no base64") from error
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
        raise RefusedError(f"{what} is no JSON") from error


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RefusedError(f"{what}: no mapping")
    return value


def _message(queue: str, task: str, chunk_id: int, retries: int) -> dict[str, Any]:
    """As Celery's second protocol and Kombu's transport have it, with nothing left to choose."""
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
