"""What the broker holds in place of unacknowledged messages: given back, or refused once."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.states import Step
from tests.servers.brokers import Broker, redis_broker
from worker.cluster.app import TASKS, VISIBILITY_SECONDS, make_app
from worker.cluster.door import give_back_messages_alone
from worker.settings import Settings

pytestmark = pytest.mark.integration

GARBAGE = (
    *(b"", b"null", b"7", b"[]", b"{}", b"[1, 2]", b"no JSON", b"\xff\xfe", b"[" * 100_000),
    b'["a", "b"]',
    b'{"__type__": "decimal", "__value__": "no number"}',
)

UNACKED, INDEX = "castline:unacked", "castline:unacked_index"

LONG_AGO = time.time() - 2 * VISIBILITY_SECONDS


@pytest.fixture
def broker() -> Iterator[Broker]:
    with redis_broker() as made:
        yield made


def test_what_is_no_message_is_refused_and_what_is_one_comes_back(
    broker: Broker, tmp_path: Path
) -> None:
    app = make_app(Settings(tmp_path, "sqlite:///castline.db", broker_url=broker.url))
    refused: list[object] = []
    with app.connection_for_read() as connection:
        app.send_task(TASKS[Step.EXTRACT], [14], queue="extract.bulk", connection=connection)
        [message] = broker.client.lrange("castline:extract.bulk", 0, -1)
        broker.client.delete("castline:extract.bulk")
        taken = json.dumps([json.loads(message), "", "extract.bulk"]).encode()
        for number, item in enumerate((*GARBAGE, taken, *GARBAGE)):
            broker.client.hset(UNACKED, f"tag{number}", item)
            broker.client.zadd(INDEX, {f"tag{number}": LONG_AGO + number})
        channel = connection.default_channel
        give_back_messages_alone(channel.qos, refused.append)
        while broker.client.zcard(INDEX):
            channel.qos.restore_visible(interval=1)
    assert not broker.client.exists(UNACKED)
    assert len(refused) == 2 * (len(GARBAGE) - 1)  # nothing at all is nothing to refuse
    [back] = broker.client.lrange("castline:extract.bulk", 0, -1)
    assert json.loads(back)["body"] == json.loads(message)["body"]
