"""A library that an older version filled by another rule shows the same after the upgrade."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import select, text

from castline.tagging.parameters import every_seconds_in_use
from db.changes.promotions import GateReport, promote_model, roll_back, sha256_in_use
from db.changes.showing import show_if_due
from db.changes.writes import create_run
from db.engine import Database
from db.library.runs import list_runs
from db.questions.appearances import find_appearances
from db.schema import run
from db.upgrade import upgrade_database
from tests.rows.records import made_model
from tests.servers.databases import downgrade_database

pytestmark = pytest.mark.integration

OLDER = json.loads((Path(__file__).parents[2] / "rows" / "library_of_schema_0006.json").read_text())
"""Episodes of each kind, rows as the code of that time wrote them, and what it showed of them.

The label of each run's one appearance tells its model and how often it looked: `toy_1_1_5` is by
`toy@1`, every 1/5 s. `cast@1` was in use at first, then `cast@2`; `cast@3` was promoted and rolled
back, and `toy@1` was only tried.
"""


@pytest.fixture
def older(database: Database) -> Database:
    """The older library, brought to this version's schema."""
    downgrade_database(database, OLDER["revision"])
    with database.write() as connection:
        for table, content in OLDER["tables"].items():
            names = content["columns"]
            connection.execute(
                text(
                    f"INSERT INTO {table} ({', '.join(names)})"
                    f" VALUES ({', '.join(f':{name}' for name in names)})"
                ),
                [dict(zip(names, row, strict=True)) for row in content["rows"]],
            )
            if not database.is_sqlite and "id" in names:  # new rows are numbered after these
                serial = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 1000)"
                connection.execute(text(serial))
    assert upgrade_database(database)
    return database


def shown(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return {item.episode: item.appearance.label for item in find_appearances(connection)}


def ask_again(database: Database, episode: str, model: str) -> None:
    """Asks for a run that ended before, as `tag` does."""
    with database.read() as connection:
        [found] = [
            item for item in list_runs(connection) if (item.episode, item.model) == (episode, model)
        ]
        row = connection.execute(select(run).where(run.c.id == found.id)).one()
    with database.write() as connection:
        made = create_run(
            connection,
            episode_id=row.episode_id,
            model_version_id=row.model_version_id,
            params=row.params,
            params_hash=row.params_hash,
            chunks=(),
            missing=(),
        )
    assert made == (found.id, False)
    with database.write() as connection:
        show_if_due(connection, found.id)


def test_it_shows_what_it_showed(older: Database) -> None:
    assert shown(older) == OLDER["shown"]
    with older.read() as connection:
        assert sha256_in_use(connection, "f" * 64) == OLDER["in_use"] == "2" * 64


def test_a_trial_that_was_shown_stays_until_the_model_in_use_is_asked(older: Database) -> None:
    assert shown(older)["tried"] == "toy_1_1_2"
    ask_again(older, "tried", "toy@1")
    assert shown(older) == OLDER["shown"]
    ask_again(older, "tried", "cast@1")
    assert shown(older) == OLDER["shown"] | {"tried": "cast_1_1_2"}
    ask_again(older, "tried", "toy@1")
    assert shown(older)["tried"] == "cast_1_1_2"


def test_a_rollback_and_a_promotion_show_the_runs_of_their_models_alone(older: Database) -> None:
    with older.write() as connection:
        done = roll_back(connection)
    changed = {"promoted": "cast_1_1_2", "rolled back": "cast_1_1_2"}
    assert (done.episodes, done.kept) == (2, 1)
    assert shown(older) == OLDER["shown"] | changed
    with older.write() as connection:
        promote_model(connection, made_model("2" * 64, "2"), GateReport(is_forced=True))
    assert shown(older) == OLDER["shown"]


def test_episodes_are_looked_at_as_often_as_what_they_show(older: Database) -> None:
    with older.read() as connection:
        found = {item.episode: item.episode_id for item in list_runs(connection)}
        every = every_seconds_in_use(connection, list(found.values()))
    finer = {name for name, key in found.items() if every[key] == Fraction(1, 5)}
    assert finer == {"plain, then finer"}
