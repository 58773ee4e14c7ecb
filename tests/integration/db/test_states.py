"""Words that rows hold: members of their sets, and no others."""

from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import StatementError

from db.engine import Database
from db.errors import DatabaseError
from db.library.runs import get_run
from db.queue.claims import claim_chunks
from db.schema import chunk, run, run_effort
from db.states import ChunkState, Lane, RunState, Statistic
from tests.rows.records import make_run

pytestmark = pytest.mark.integration


def test_rows_hold_the_plain_words_and_give_members(database: Database) -> None:
    run_id = make_run(database, lane="interactive")
    with database.write() as connection:
        [claim, *_] = claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 60)
    with database.read() as connection:
        stored = connection.execute(text("SELECT state, lane FROM run")).one()
        lane = connection.execute(select(run.c.lane)).scalar_one()
        state = get_run(connection, run_id).state
    assert tuple(stored) == ("running", "interactive")
    assert state is RunState.RUNNING
    assert lane is Lane.INTERACTIVE
    assert claim.state is ChunkState.QUEUED


@pytest.mark.parametrize(
    "statement",
    [
        update(run).values(state="runing"),
        update(run).values(state=ChunkState.TAGGED),
        update(run).values(lane="bulky"),
        update(chunk).values(state="done"),
        insert(run_effort).values(run_id=1, name="decoding", amount=1.0),
        select(run.c.id).where(run.c.state == "finished"),
    ],
)
def test_a_misspelt_word_never_reaches_the_database(database: Database, statement: Any) -> None:
    make_run(database)
    with (
        pytest.raises((DatabaseError, StatementError), match="not among the defined enum"),
        database.write() as connection,
    ):
        connection.execute(statement)


def test_each_statistic_is_a_field_of_a_runs_statistics() -> None:
    from db.queue.statistics import RunStatistics

    assert tuple(vars(RunStatistics())) == tuple(Statistic)
