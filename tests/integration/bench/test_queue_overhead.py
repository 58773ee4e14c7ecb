"""The bench of the queue does a worker's steps: on real servers, to the end of every run."""

import math

import pytest

from bench.queue_overhead import END_OF_RUN, MINUTES, TAG_ROWS, measure, table
from db.queue.free import CHUNKS_PER_GROUP

pytestmark = pytest.mark.integration


def test_every_transaction_and_message_of_a_chunk_is_on_the_clock() -> None:
    ledger = measure(episodes=2, backlog=15)  # more than may be ahead
    of_episode = math.ceil(MINUTES / CHUNKS_PER_GROUP)
    assert len(ledger.groups) == 2 * of_episode
    names = {name for group in ledger.groups for name in group}
    steps = ("claim to extract", "completed", "claim to classify", "write tags", "newly offered")
    for step in steps:
        assert any(name.endswith(step) for name in names), step
    for name in ("publish", "take", "acknowledge", "look"):
        assert f"broker, {name}" in names
    for group in ledger.groups:
        assert group[TAG_ROWS] > 0
    # each run ends with its last group
    ends = [number for number, group in enumerate(ledger.groups, start=1) if END_OF_RUN in group]
    assert ends == [of_episode, 2 * of_episode]
    assert "all of the queue's work" in table(ledger)
