"""How a run ends: its state, its missing ranges and its appearances, from hand-made tags."""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
import pytest

from db.changes.writes import replace_tags
from db.engine import Database
from db.library.runs import get_run
from db.questions.appearances import find_appearances
from db.queue.claims import claim_chunks, fail_claim
from db.queue.completing import complete_extractions, complete_taggings
from db.records import Claim, ExtractedChunk, TagRecord
from db.states import ChunkState
from ingest.cuts import Cuts, Frames
from tests.rows.records import PARAMS, make_run
from worker.steps.finish import finish_run_if_complete

pytestmark = pytest.mark.integration

TWO_CHUNKS = ((0, 60_000), (60_000, 120_000))

BY_SHOTS = PARAMS[:-1] + ', "shots": {"link_seconds": "3", "sure": 0.95}}'
"""The parameters of a run for which cuts count."""


def claim(database: Database, state: str) -> Claim:
    with database.write() as connection:
        return claim_chunks(connection, ChunkState(state), "w/1/1.0", 60)[0]


def tag_chunk(
    database: Database,
    confidences: dict[int, float],
    *,
    missing: tuple[tuple[int, int], ...] = (),
    decode_errors: int = 0,
    shots: Sequence[int] | None = None,
) -> bool:
    """Extracts and tags the next chunk: a sample each half second, with these tags of ned.

    Args:
        database: of the run.
        confidences: by pts.
        missing: ranges.
        decode_errors: how many.
        shots: where they begin, in which each frame, 40 ms apart, looks the same; None: not known.
    """
    queued = claim(database, "queued")
    samples = tuple(range(queued.start_pts, queued.end_pts, 500))
    extracted = ExtractedChunk(samples, 1000, decode_errors, missing, cuts=cuts_json(queued, shots))
    with database.write() as connection:
        assert complete_extractions(connection, {queued: extracted})
    ready = claim(database, "extracted")
    tags = [
        TagRecord(pts, "ned_flanders", "full", confidence, pts / 1000)
        for pts, confidence in confidences.items()
    ]
    with database.write() as connection:
        assert complete_taggings(connection, [ready])
        replace_tags(connection, {ready: tags})
        return finish_run_if_complete(connection, ready.run_id)


def cuts_json(chunk: Claim, shots: Sequence[int] | None) -> str | None:
    """What the decoder says of a chunk that shows quite another picture in each shot."""
    if shots is None:
        return None
    pts = tuple(range(chunk.start_pts, chunk.end_pts, 40))
    seen = np.array([np.full(288, 20 + 70 * (bisect_right(shots, one) % 4)) for one in pts])
    return Cuts.among(Frames(pts, seen.astype(np.uint8))).to_json()


def give_up_next(database: Database, run_id: int) -> str:
    """Fails the next chunk until it is offered no more; returns what became of it at last."""
    for _ in range(4):
        bad = claim(database, "queued")
        with database.write() as connection:
            outcome = fail_claim(connection, bad, "it broke", lost=False, split_at=None)
            finish_run_if_complete(connection, run_id)
    return outcome


def shown(database: Database) -> list[tuple[str, int, int]]:
    with database.read() as connection:
        return [
            (item.appearance.label, item.appearance.start_pts, item.appearance.end_pts)
            for item in find_appearances(connection)
        ]


def test_an_appearance_runs_across_the_border_of_two_chunks(database: Database) -> None:
    run_id = make_run(database, chunks=TWO_CHUNKS)
    assert not tag_chunk(database, {58_500: 0.9, 59_000: 0.9, 59_500: 0.9})
    assert shown(database) == []
    assert tag_chunk(database, {60_000: 0.9, 60_500: 0.5, 61_000: 0.3})
    with database.read() as connection:
        run = get_run(connection, run_id)
    # onset 0.6 and offset 0.4 of tests.rows.records.PARAMS: 0.5 holds on, 0.3 ends it
    assert shown(database) == [("ned_flanders", 58_500, 61_000)]
    assert (run.state, run.frames, run.is_current) == ("done", 240, True)


def test_borders_lie_at_cuts_also_between_two_chunks(database: Database) -> None:
    make_run(database, chunks=TWO_CHUNKS, params=BY_SHOTS)
    shots = [58_200, 60_000, 61_320]
    tag_chunk(database, {58_500: 0.9, 59_000: 0.9, 59_500: 0.9}, shots=shots)
    assert tag_chunk(database, {60_000: 0.5, 61_000: 0.5, 61_500: 0.9, 62_000: 0.9}, shots=shots)
    # From the cut at 58.2 s to the one between the chunks, after which 0.5 is no onset. Then from
    # the cut at 61.32 s on; where they leave no cut tells, so in the middle of two looks.
    assert shown(database) == [("ned_flanders", 58_200, 60_000), ("ned_flanders", 61_320, 62_250)]


@pytest.mark.parametrize("params", [PARAMS, BY_SHOTS])
def test_where_a_chunk_tells_no_cuts_or_the_run_asks_for_none_all_is_as_before(
    params: str, database: Database
) -> None:
    make_run(database, chunks=TWO_CHUNKS, params=params)
    known = [58_200] if params == PARAMS else None
    tag_chunk(database, {58_500: 0.9, 59_000: 0.9, 59_500: 0.9}, shots=[58_200])
    assert tag_chunk(database, {60_000: 0.9, 60_500: 0.5, 61_000: 0.3}, shots=known)
    assert shown(database) == [("ned_flanders", 58_500, 61_000)]


def test_nothing_is_compared_across_a_chunk_that_was_given_up(database: Database) -> None:
    three = ((0, 60_000), (60_000, 120_000), (120_000, 180_000))
    run_id = make_run(database, chunks=three, params=BY_SHOTS)
    tag_chunk(database, {59_000: 0.9, 59_500: 0.9}, shots=[58_800])
    give_up_next(database, run_id)
    assert tag_chunk(database, {120_000: 0.9, 120_500: 0.9}, shots=[58_800, 120_600])
    assert shown(database) == [("ned_flanders", 58_800, 60_000), ("ned_flanders", 120_000, 120_600)]


def test_a_quarantined_chunk_makes_the_run_partial_and_names_its_range(
    database: Database,
) -> None:
    run_id = make_run(database, chunks=TWO_CHUNKS)
    tag_chunk(database, {1000: 0.9, 1500: 0.9})
    outcome = give_up_next(database, run_id)
    with database.read() as connection:
        run = get_run(connection, run_id)
    assert outcome == "quarantined"
    assert (run.state, run.missing, run.error) == ("partial", ((60_000, 120_000),), "it broke")
    assert run.missing_seconds == ((60.0, 120.0),)
    assert shown(database) == [("ned_flanders", 1000, 2000)]


def test_a_quarantined_chunk_of_half_a_second_makes_the_run_partial_too(
    database: Database,
) -> None:
    run_id = make_run(database, chunks=((0, 60_000), (60_000, 60_500)))
    tag_chunk(database, {1000: 0.9, 1500: 0.9})
    give_up_next(database, run_id)
    with database.read() as connection:
        assert get_run(connection, run_id).state == "partial"


def test_a_run_of_which_nothing_could_be_read_is_failed(database: Database) -> None:
    run_id = make_run(database, chunks=TWO_CHUNKS[:1])
    give_up_next(database, run_id)
    with database.read() as connection:
        assert get_run(connection, run_id).state == "failed"


@pytest.mark.parametrize(
    ("missing", "decode_errors", "state"),
    [
        ((), 0, "done"),
        (((1000, 2000),), 0, "done"),
        (((1000, 2001),), 0, "partial"),
        ((), 10, "done"),
        ((), 11, "partial"),
    ],
)
def test_more_than_a_second_missing_or_one_error_in_a_hundred_makes_a_run_partial(
    database: Database, missing: tuple[tuple[int, int], ...], decode_errors: int, state: str
) -> None:
    run_id = make_run(database, chunks=TWO_CHUNKS[:1])
    tag_chunk(database, {}, missing=missing, decode_errors=decode_errors)
    with database.read() as connection:
        assert get_run(connection, run_id).state == state
