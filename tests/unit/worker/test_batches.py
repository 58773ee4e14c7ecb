"""What fills a batch, and reading ahead of it."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.queue.free import CHUNKS_PER_GROUP
from tests.waiting import wait_until
from worker.steps import classify_step
from worker.steps.classify_step import chunks_that_fill
from worker.steps.reading_ahead import in_parts_read_ahead
from worker.steps.statistics import StatisticsRecorder


@pytest.mark.parametrize(
    ("frames_per_batch", "frames_per_chunk", "chunks"),
    [
        (16, 120, CHUNKS_PER_GROUP),  # a small batch: the group
        (2048, 120, 18),  # 17 would give 2,040 frames
        (4096, 120, 35),
        (4096, 1, 64),
        (16, 0, 16),  # a chunk without frames says nothing of the next ones
    ],
)
def test_as_many_chunks_are_claimed_as_fill_a_batch(
    frames_per_batch: int, frames_per_chunk: int, chunks: int
) -> None:
    assert chunks_that_fill(frames_per_batch, frames_per_chunk) == chunks


@given(st.lists(st.integers(), max_size=50), st.integers(1, 20))
def test_parts_hold_all_items_in_order_and_only_the_last_is_short(
    items: list[int], length: int
) -> None:
    parts = list(in_parts_read_ahead(items, length))
    assert [item for part in parts for item in part] == items
    assert all(len(part) == length for part in parts[:-1])
    assert all(parts)


def test_the_next_part_is_read_while_the_last_one_is_used() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for number in range(6):
            read.append(number)
            yield number

    parts = in_parts_read_ahead(items(), 2)
    assert next(parts) == [0, 1]
    wait_until(lambda: read == [0, 1, 2, 3])
    parts.close()
    assert read == [0, 1, 2, 3]


def test_an_error_while_reading_reaches_who_uses_the_parts() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("damaged")

    before = set(threading.enumerate())
    with pytest.raises(ValueError, match="damaged"):
        list(in_parts_read_ahead(items(), 1))
    wait_until(lambda: not set(threading.enumerate()) - before)


class Breaking:
    """A network that fails on whatever it is shown."""

    frames_per_batch = classify_step.FRAMES_AT_ONCE

    def classify(self, _pictures: list[Any]) -> list[Any]:
        raise ValueError("no such shape")


def test_nothing_is_read_any_more_when_a_failure_is_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claim = SimpleNamespace(run_id=1)
    tagging: Any = SimpleNamespace(chunk=SimpleNamespace(claim=claim))
    frame = SimpleNamespace(picture=None)
    before = set(threading.enumerate())
    said: list[Any] = []
    reading: list[threading.Thread] = []

    def record(_database: Any, of: Any, error: str, *, lost: bool) -> None:
        said.append((of, error, lost))
        reading.extend(set(threading.enumerate()) - before)

    monkeypatch.setattr(classify_step, "record_failure", record)
    monkeypatch.setattr(
        classify_step, "_frames_of_all", lambda *_: ((tagging, frame) for _ in range(2_000))
    )
    installation: Any = SimpleNamespace(database=None, statistics=StatisticsRecorder())
    classify_step._classify_group(installation, [tagging], Breaking())  # type: ignore[arg-type]
    assert said == [(claim, "no such shape", False)]
    assert not reading
