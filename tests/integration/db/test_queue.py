"""The queue of record, on a real SQLite file and on a real PostgreSQL server."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from db.changes.pruning import remove_runs
from db.changes.writes import cancel_run, retry_run
from db.engine import Database
from db.library.runs import ended_chunks, get_run
from db.queue.claims import (
    FAILURES_BEFORE_QUARANTINE,
    claim_chunks,
    fail_claim,
    lost_claims,
    open_chunk_count,
    release_claim,
    renew_claim,
)
from db.queue.completing import complete_extractions, complete_taggings
from db.queue.free import CHUNKS_PER_GROUP
from db.records import Claim, ExtractedChunk
from db.schema import chunk
from db.states import ChunkState
from tests.rows.records import CHUNKS, end_run, made_episode, made_model, make_run
from worker.installation import Installation
from worker.settings import Settings
from worker.steps.claims import chunks_of, record_failure

pytestmark = pytest.mark.integration

EXTRACTED = ExtractedChunk(sampled_pts=(0, 500), frames_decoded=20, decode_errors=1, missing=())


def claim_one(database: Database, state: str = "queued", lease_seconds: float = 60) -> Claim:
    with database.write() as connection:
        return claim_chunks(connection, ChunkState(state), "somewhere/1/1.0", lease_seconds)[0]


def fail(database: Database, claim: Claim, *, lost: bool = False, split_at: int | None) -> str:
    with database.write() as connection:
        return fail_claim(connection, claim, "it broke", lost=lost, split_at=split_at)


def test_claims_come_in_the_order_of_time_and_none_comes_twice(database: Database) -> None:
    make_run(database)
    with database.write() as connection:
        first = claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 60, limit=4)
        second = claim_chunks(connection, ChunkState.QUEUED, "w/2/1.0", 60, limit=4)
    assert [claim.start_pts for claim in first + second] == [start for start, _ in CHUNKS]


def test_a_claim_starts_the_run_and_counts_the_attempt(database: Database) -> None:
    run_id = make_run(database)
    claim = claim_one(database)
    with database.read() as connection:
        run = get_run(connection, run_id)
    assert (claim.attempts, run.state) == (1, "running")
    assert run.started_at is not None


def test_work_that_outlasts_its_lease_cannot_write(database: Database) -> None:
    make_run(database, chunks=CHUNKS[:1])
    late = claim_one(database, lease_seconds=0)
    with database.read() as connection:
        [lost] = lost_claims(connection, lambda _: False)
    assert fail(database, lost, lost=True, split_at=None) == "offered"
    again = claim_one(database)
    with database.write() as connection:
        assert not complete_extractions(connection, {late: EXTRACTED})
        assert not renew_claim(connection, late, 60)
        assert complete_extractions(connection, {again: EXTRACTED})


def test_the_claim_of_a_dead_worker_is_lost_before_its_lease_ends(database: Database) -> None:
    make_run(database)
    claim_one(database)
    with database.read() as connection:
        assert lost_claims(connection, lambda _: False) == []
        assert len(lost_claims(connection, lambda name: name == "somewhere/1/1.0")) == 1


def test_a_chunk_that_keeps_failing_is_split_and_its_guilty_half_quarantined(
    database: Database,
) -> None:
    run_id = make_run(database, chunks=((0, 60_000),))
    outcomes = []
    for _ in range(2):
        claim = claim_one(database)
        outcomes.append(fail(database, claim, split_at=30_000))
    assert outcomes == ["offered", "split"]
    left = claim_one(database)
    assert (left.start_pts, left.end_pts, left.attempts) == (0, 30_000, 3)
    assert fail(database, left, split_at=None) == "offered"
    left = claim_one(database)
    assert left.attempts == FAILURES_BEFORE_QUARANTINE
    assert fail(database, left, split_at=None) == "quarantined"
    right = claim_one(database)
    assert (right.start_pts, right.end_pts) == (30_000, 60_000)
    with database.write() as connection:
        assert complete_extractions(connection, {right: EXTRACTED})
    with database.write() as connection:
        [tagging] = claim_chunks(connection, ChunkState.EXTRACTED, "w/1/1.0", 60)
        assert complete_taggings(connection, [tagging])
        assert open_chunk_count(connection) == 0
        _, quarantined = ended_chunks(connection, run_id)
        run = get_run(connection, run_id)
    assert quarantined == [(0, 30_000, "it broke")]
    assert (run.chunks_total, run.chunks_done) == (2, 2)


def test_a_vanished_worker_is_no_proof_against_its_chunk(database: Database) -> None:
    make_run(database, chunks=((0, 60_000),))
    for _ in range(FAILURES_BEFORE_QUARANTINE + 1):
        claim = claim_one(database)
        assert fail(database, claim, lost=True, split_at=None) == "offered"


def test_a_released_claim_does_not_count_as_an_attempt(database: Database) -> None:
    make_run(database, chunks=CHUNKS[:1])
    with database.write() as connection:
        [claim] = claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 60)
        assert release_claim(connection, claim)
        [again] = claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 60)
    assert again == replace(claim, token=claim.token + 1)


def test_a_claim_of_a_run_that_was_pruned_fits_nothing_of_the_next_run(database: Database) -> None:
    end_run(database, make_run(database))
    older = made_model("d" * 64, "0", year=2020)
    run_id = make_run(database, model=older)
    with database.write() as connection:
        first, second, third = claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 60, limit=3)
        complete_extractions(connection, {first: EXTRACTED})
        [extracted] = claim_chunks(connection, ChunkState.EXTRACTED, "w/1/1.0", 60)
        assert cancel_run(connection, run_id) == "cancelled"
        assert remove_runs(connection, [run_id], made_model()) == 1

    def write_nothing() -> None:
        with database.write() as connection:
            assert not complete_taggings(connection, [extracted])
            assert not complete_extractions(connection, {second: EXTRACTED})
            assert not renew_claim(connection, third, 60)
        assert fail(database, third, split_at=None) == "not held"
        place = Installation(Settings(Path(), str(database.url)), database)
        record_failure(place, third, "it broke", lost=False)

    write_nothing()
    assert chunks_of(database, [extracted]) == []
    make_run(database, made_episode("e" * 64, "other.mkv"))
    with database.write() as connection:
        claims = claim_chunks(connection, ChunkState.QUEUED, "w/2/1.0", 60, limit=3)
        if database.is_sqlite:
            ids = {claim.chunk_id for claim in (first, second, third)}
            assert {claim.chunk_id for claim in claims} == ids, "SQLite gives them again"
    write_nothing()
    with database.write() as connection:
        assert renew_claim(connection, claims[0], 60)


def test_a_cancelled_run_takes_no_writes_and_a_retry_goes_on_with_it(database: Database) -> None:
    run_id = make_run(database, chunks=CHUNKS[:2])
    claim = claim_one(database)
    with database.write() as connection:
        assert cancel_run(connection, run_id) == "cancelled"
        assert not renew_claim(connection, claim, 60)
        assert not complete_extractions(connection, {claim: EXTRACTED})
        assert claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 60) == []
        assert retry_run(connection, run_id) == 2
        assert len(claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 60, limit=9)) == 2


def test_who_hears_of_a_chunk_claims_what_is_free_of_its_group(database: Database) -> None:
    whole = CHUNKS_PER_GROUP
    make_run(database, chunks=tuple((start, start + 1) for start in range(2 * whole + 2)))
    make_run(database, made_episode("c" * 64))
    assert starts(claim_group(database, whole + 3, whole)) == list(range(whole, 2 * whole))
    assert starts(claim_group(database, 2, whole - 1)) == list(range(whole - 1))
    assert starts(claim_group(database, 2, whole)) == [whole - 1], "all but one are held"
    assert claim_group(database, 2, whole) == []
    end = [2 * whole, 2 * whole + 1]
    assert starts(claim_group(database, 2 * whole + 1, whole)) == end, "the end of the run"


def test_a_chunk_that_failed_is_claimed_by_itself(database: Database) -> None:
    make_run(database, chunks=tuple((start, start + 1) for start in range(4)))
    first, second, *others = claim_group(database, 1, limit=4)
    assert fail(database, second, split_at=None) == "offered"
    with database.write() as connection:
        assert all(release_claim(connection, claim) for claim in (first, *others))
    assert starts(claim_group(database, second.chunk_id, limit=4)) == [1]
    assert starts(claim_group(database, second.chunk_id, limit=4)) == [0, 2, 3]


def test_of_a_group_only_the_chunks_that_are_held_are_written(database: Database) -> None:
    run_id = make_run(database)
    lost, *held = claim_group(database, 1, limit=4)
    fail(database, lost, lost=True, split_at=None)
    with database.write() as connection:
        assert complete_extractions(connection, dict.fromkeys([lost, *held], EXTRACTED)) == held
    with database.write() as connection:
        lost, *held = claim_chunks(connection, ChunkState.EXTRACTED, "w/1/1.0", 60, limit=3)
        assert release_claim(connection, lost)
        assert complete_taggings(connection, [lost, *held]) == held
        assert get_run(connection, run_id).chunks_done == 2
        assert complete_taggings(connection, held) == [], "they are tagged already"
        [again] = claim_chunks(connection, ChunkState.EXTRACTED, "w/1/1.0", 60, limit=3)
        assert again.chunk_id == lost.chunk_id
        cancel_run(connection, run_id)
        assert complete_taggings(connection, [again]) == []


def test_a_claim_that_a_crash_of_the_server_forgot_is_written_once(database: Database) -> None:
    make_run(database, chunks=CHUNKS[:1])
    forgotten = claim_one(database)
    with database.write() as connection:  # as it was before the claim, whose commit was lost
        values = {"token": forgotten.token - 1, "attempts": 0, "worker": None, "lease_until": None}
        connection.execute(chunk.update().values(values))
    again = claim_one(database)
    assert again == forgotten
    with database.write() as connection:
        assert complete_extractions(connection, {forgotten: EXTRACTED}) == [forgotten]
        assert complete_extractions(connection, {again: EXTRACTED}) == []


def claim_group(database: Database, chunk_id: int, limit: int) -> list[Claim]:
    with database.write() as connection:
        return claim_chunks(
            connection, ChunkState.QUEUED, "w/1/1.0", 60, limit=limit, chunk_id=chunk_id
        )


def starts(claims: list[Claim]) -> list[int]:
    return [claim.start_pts for claim in claims]


def test_many_threads_claim_every_chunk_exactly_once(database: Database) -> None:
    chunks = tuple((start, start + 1) for start in range(120))
    make_run(database, chunks=chunks)
    claimed: list[int] = []
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            while True:
                with database.write() as connection:
                    found = claim_chunks(
                        connection, ChunkState.QUEUED, f"w/{number}/1.0", 60, limit=3
                    )
                if not found:
                    return
                claimed.extend(claim.start_pts for claim in found)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(claimed) == list(range(120))
