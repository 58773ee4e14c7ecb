"""What of a message comes in: a chunk's number, and nothing else of what it may hold."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from db.states import Lane, Step
from worker.cluster.app import TASKS, TRIES_AFTER_LOSS, make_app, queue_name, step_of
from worker.cluster.door import LARGEST_BYTES, RefusedError, admitted
from worker.settings import Settings

QUEUE = "extract.bulk"


def published(queue: str, chunk_id: int) -> dict[str, Any]:
    """A message as Celery and Kombu make it for `worker.cluster.offering`."""
    url = "memory://"
    app = make_app(Settings(Path("/home"), "sqlite://", broker_url="redis://broker"))
    app.conf.update(broker_url=url, broker_transport_options={})
    task = TASKS[step_of(queue)]
    with app.connection_for_write() as connection:
        app.send_task(task, [chunk_id], queue=queue, connection=connection)
        found = connection.default_channel._get(queue)
    assert isinstance(found, dict)
    return found


def admitted_chunk(item: bytes, queue: str = QUEUE) -> int:
    """The chunk that a message tells of after it came in."""
    [[chunk_id], _, _] = json.loads(json.loads(admitted(queue, item))["body"])
    assert isinstance(chunk_id, int)
    return chunk_id


@pytest.mark.parametrize("lane", Lane)
@pytest.mark.parametrize("step", Step)
def test_what_castline_publishes_comes_in_and_so_does_what_came_in_once(
    step: Step, lane: Lane
) -> None:
    queue = queue_name(step, lane)
    item = json.dumps(published(queue, 14)).encode()
    again = admitted(queue, item)  # as a message that nobody acknowledged is given out again
    assert admitted_chunk(item, queue) == admitted_chunk(again, queue) == 14
    headers = json.loads(again)["headers"]
    assert (headers["task"], headers["retries"]) == (f"castline.{step}", 0)


def test_nothing_else_of_a_message_comes_in() -> None:
    """A compressed body, a wish to wait for years, and what to do after, among others."""
    came = published(QUEUE, 14)
    came["headers"] |= {"eta": "9999-01-01T00:00:00", "expires": "soon", "timelimit": "no"}
    came["headers"] |= {"compression": "application/x-gzip", "lang": None, "id": ["no", "text"]}
    came["headers"]["retries"] = TRIES_AFTER_LOSS
    came["properties"] |= {"delivery_tag": "of-another", "reply_to": "somewhere"}
    after = {"callbacks": [{"task": "castline.classify", "args": [1]}], "chain": 7}
    came["body"] = base64.b64encode(json.dumps([[14], {"a": 1}, after]).encode()).decode()
    message = json.loads(admitted(QUEUE, json.dumps(came).encode()))
    plain = json.loads(admitted(QUEUE, json.dumps(published(QUEUE, 14)).encode()))
    for one in (message, plain):  # new in each
        assert one["headers"].pop("id") == one["headers"].pop("root_id")
        del one["properties"]["correlation_id"], one["properties"]["delivery_tag"]
    assert message["headers"].pop("retries") == TRIES_AFTER_LOSS
    assert plain["headers"].pop("retries") == 0
    assert message == plain


RAW = (
    *(b"", b"null", b"0", b"true", b'""', b"[]", b"{}", b"no JSON", b"\xff\xfe", b"\x80\x04N."),
    b"[" * LARGEST_BYTES,
    b" " * LARGEST_BYTES + b"{}",
    b"9" * 5000,
    b'{"__type__": "decimal", "__value__": "no number"}',
)


@pytest.mark.parametrize("item", RAW, ids=range(len(RAW)))
def test_what_is_no_message_is_refused(item: bytes) -> None:
    with pytest.raises(RefusedError):
        admitted(QUEUE, item)


@pytest.mark.parametrize(
    "part",
    [
        {"headers": None},
        {"headers": {}},
        {"headers": {"task": "castline.classify"}},  # in the queue of the other step
        {"headers": {"task": "castline.extract", "retries": TRIES_AFTER_LOSS + 1}},
        {"headers": {"task": "castline.extract", "retries": True}},
        {"properties": None},
        {"content-type": "application/x-python-serialize"},
        {"body": None},
        {"body": 7},
        {"body": "no base64!"},
        {"body": "é"},
    ],
    ids=str,
)
def test_an_envelope_of_another_kind_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        admitted(QUEUE, json.dumps(published(QUEUE, 14) | part).encode())


@pytest.mark.parametrize(
    "body",
    [
        *("null", "[]", "{}", '"text"', "7", "[[1], {}]", "[null, null, null]", "[[1], {}, {}"),
        *('[["1"], {}, {}]', "[[true], {}, {}]", "[[1.0], {}, {}]", "[[0], {}, {}]"),
        *("[[-1], {}, {}]", "[[9223372036854775808], {}, {}]", "[[1, 2], {}, {}]"),
    ],
)
def test_a_body_that_does_not_hold_a_chunks_number_is_refused(body: str) -> None:
    encoded = base64.b64encode(body.encode()).decode()
    with pytest.raises(RefusedError):
        admitted(QUEUE, json.dumps(published(QUEUE, 14) | {"body": encoded}).encode())
