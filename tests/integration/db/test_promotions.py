"""Promotions and rollbacks: what queries see, at once and exactly, on both databases."""

import time

import pytest
from sqlalchemy import insert, text
from sqlalchemy.event import listen

from db.changes.promotions import (
    GateReport,
    list_promotions,
    promote_model,
    roll_back,
    sha256_in_use,
    use_bundled,
)
from db.changes.showing import show_if_due
from db.changes.writes import register_model_version
from db.engine import Database
from db.errors import NotFoundError
from db.library.current import CURRENT, RunSelection, find_selection
from db.library.episodes import list_episodes
from db.questions.appearances import find_appearances, screen_time
from db.records import ModelVersionRecord
from db.schema import appearance, current_run, episode, run
from tests.rows.records import (
    PARAMS,
    end_run,
    episode_named,
    made_appearance,
    made_episode,
    made_model,
    make_run,
)
from tests.waiting import assert_in_time

pytestmark = pytest.mark.integration

FIRST = made_model("1" * 64, "1", year=2024)
SECOND = made_model("2" * 64, "2", year=2025)
THIRD = made_model("3" * 64, "3", year=2026)
HASH = "c" * 64
"""Of the parameters that tests.rows.records.make_run gives."""


def ended_run(database: Database, model: ModelVersionRecord, name: str = "pilot.mkv") -> int:
    """A run over an episode of this name that found the model's version in it."""
    run_id = make_run(database, episode=episode_named(name), model=model)
    end(database, run_id, f"seen_by_{model.version}")
    return run_id


def end(database: Database, run_id: int, label: str, state: str = "done") -> None:
    end_run(database, run_id, [made_appearance(label)], state, frames=10)


def promote(database: Database, model: ModelVersionRecord, **report: object) -> int:
    with database.write() as connection:
        use_bundled(connection, FIRST)
        done = promote_model(connection, model, GateReport(**report))  # type: ignore[arg-type]
    return done.episodes


def go_back(database: Database) -> tuple[str, str, int]:
    with database.write() as connection:
        done = roll_back(connection)
    return done.withdrawn.model, done.in_use.model, done.episodes


def shown(database: Database, which: RunSelection = CURRENT) -> dict[str, str]:
    with database.read() as connection:
        found = find_appearances(connection, selection=which)
    return {item.episode: item.appearance.label for item in found}


def in_use(database: Database) -> str:
    with database.read() as connection:
        return sha256_in_use(connection, FIRST.sha256)


def test_a_promotion_shows_all_ended_runs_of_its_model_and_leaves_the_others(
    database: Database,
) -> None:
    for name in ("one", "two"):
        ended_run(database, FIRST, name)
    with database.write() as connection:
        use_bundled(connection, FIRST)
    ended_run(database, SECOND, "one")
    assert shown(database) == {"one": "seen_by_1", "two": "seen_by_1"}, "not promoted: not shown"
    assert promote(database, SECOND) == 1
    assert shown(database) == {"one": "seen_by_2", "two": "seen_by_1"}
    ended_run(database, SECOND, "two")
    assert shown(database) == {"one": "seen_by_2", "two": "seen_by_2"}
    assert in_use(database) == SECOND.sha256


def test_a_rollback_shows_what_was_shown_and_a_late_run_changes_nothing(
    database: Database,
) -> None:
    for name in ("one", "two", "three"):
        ended_run(database, FIRST, name)
    promote(database, SECOND)
    ended_run(database, SECOND, "one")
    ended_run(database, SECOND, "two")
    late = make_run(database, episode=made_episode("f" * 64, "late"), model=SECOND)
    before_late = make_run(
        database,
        episode=made_episode(f"{int.from_bytes(b'three') % 10**9:064d}", "three"),
        model=SECOND,
    )
    assert go_back(database) == ("cast@2", "cast@1", 2)
    end(database, before_late, "seen_by_2")
    assert shown(database) == dict.fromkeys(("one", "two", "three"), "seen_by_1")
    assert in_use(database) == FIRST.sha256
    end(database, late, "seen_by_2")
    assert shown(database)["late"] == "seen_by_2", "nothing else knows this episode"


def test_a_run_takes_the_place_of_a_withdrawn_models(
    database: Database,
) -> None:
    promote(database, SECOND)
    newer = made_model("4" * 64, "4", year=2199)  # made after SECOND was promoted
    promote(database, newer)
    ended_run(database, newer)
    assert go_back(database) == ("cast@4", "cast@2", 0)
    assert shown(database) == {"pilot.mkv": "seen_by_4"}, "nothing else knows this episode"
    ended_run(database, FIRST, "other.mkv")
    ended_run(database, newer, "other.mkv")
    ended_run(database, SECOND)
    assert shown(database) == {"pilot.mkv": "seen_by_2", "other.mkv": "seen_by_1"}
    assert go_back(database) == ("cast@2", "cast@1", 0)
    assert shown(database)["pilot.mkv"] == "seen_by_2", "it came before the other, as ever"
    ended_run(database, FIRST)
    assert shown(database)["pilot.mkv"] == "seen_by_1"


def test_a_withdrawn_models_run_that_was_shown_before_a_promotion_is_what_a_rollback_shows(
    database: Database,
) -> None:
    promote(database, THIRD)
    ended_run(database, THIRD)
    go_back(database)
    promote(database, SECOND)
    ended_run(database, SECOND)
    assert shown(database) == {"pilot.mkv": "seen_by_2"}
    assert go_back(database) == ("cast@2", "cast@1", 1)
    assert shown(database) == {"pilot.mkv": "seen_by_3"}


def test_promotions_are_rolled_back_one_by_one_to_the_first(database: Database) -> None:
    ended_run(database, FIRST)
    promote(database, SECOND)
    ended_run(database, SECOND)
    promote(database, THIRD)
    ended_run(database, THIRD)
    assert shown(database) == {"pilot.mkv": "seen_by_3"}
    assert go_back(database) == ("cast@3", "cast@2", 1)
    assert shown(database) == {"pilot.mkv": "seen_by_2"}
    assert go_back(database) == ("cast@2", "cast@1", 1)
    assert shown(database) == {"pilot.mkv": "seen_by_1"}
    with pytest.raises(NotFoundError, match="no earlier promotion"):
        go_back(database)
    assert promote(database, THIRD) == 1
    assert shown(database) == {"pilot.mkv": "seen_by_3"}


def test_a_run_that_ends_after_the_next_promotion_goes_with_its_own(database: Database) -> None:
    ended_run(database, FIRST)
    promote(database, SECOND)
    late = make_run(
        database, episode=made_episode(f"{int.from_bytes(b'pilot.mkv') % 10**9:064d}"), model=SECOND
    )
    promote(database, THIRD)
    end(database, late, "seen_by_2")
    assert shown(database) == {"pilot.mkv": "seen_by_2"}
    assert go_back(database) == ("cast@3", "cast@2", 0)
    assert shown(database) == {"pilot.mkv": "seen_by_2"}
    assert go_back(database) == ("cast@2", "cast@1", 1)
    assert shown(database) == {"pilot.mkv": "seen_by_1"}


def test_an_older_model_is_shown_once_it_is_promoted(database: Database) -> None:
    ended_run(database, FIRST)
    ended_run(database, THIRD)
    ended_run(database, SECOND)
    assert shown(database) == {"pilot.mkv": "seen_by_1"}, "the first, before any promotion"
    promote(database, SECOND)
    assert shown(database) == {"pilot.mkv": "seen_by_2"}
    go_back(database)
    assert shown(database) == {"pilot.mkv": "seen_by_1"}, "it is in use again"


def test_the_model_in_use_is_shown_in_place_of_a_newer_one(
    database: Database,
) -> None:
    ended_run(database, SECOND)
    with database.write() as connection:
        use_bundled(connection, FIRST)
    assert shown(database) == {"pilot.mkv": "seen_by_2"}, "nobody asked for another yet"
    ended_run(database, FIRST)
    assert shown(database) == {"pilot.mkv": "seen_by_1"}


def test_a_person_may_choose_among_runs_of_the_promoted_model(database: Database) -> None:
    promote(database, SECOND)
    old = ended_run(database, FIRST)
    new = ended_run(database, SECOND)
    with database.write() as connection:
        show_if_due(connection, old)
    assert shown(database) == {"pilot.mkv": "seen_by_2"}
    with database.write() as connection:
        show_if_due(connection, new)
    assert shown(database) == {"pilot.mkv": "seen_by_2"}


def test_runs_that_are_not_current_stay_to_be_asked_for(database: Database) -> None:
    old = ended_run(database, FIRST)
    ended_run(database, SECOND)
    for run_id, model in ((old, None), (None, "cast@1")):
        with database.read() as connection:
            which = find_selection(connection, run_id, model)
        assert shown(database, which) == {"pilot.mkv": "seen_by_1"}
        with database.read() as connection:
            assert [item.label for item in screen_time(connection, selection=which)] == [
                "seen_by_1"
            ]
    with database.read() as connection:
        newest = find_selection(connection, None, "cast")
    assert shown(database, newest) == {"pilot.mkv": "seen_by_2"}


@pytest.mark.parametrize(
    ("run_id", "model", "words"),
    [(9, None, "no such run"), (1, None, "it is queued"), (None, "cast@9", "cast@1")],
)
def test_what_never_ran_or_did_not_end_cannot_be_asked_for(
    run_id: int | None, model: str | None, words: str, database: Database
) -> None:
    make_run(database, model=FIRST)
    with database.read() as connection, pytest.raises(NotFoundError, match=words):
        find_selection(connection, run_id, model)


def test_force_and_what_fell_short_are_kept(database: Database) -> None:
    promote(
        database,
        SECOND,
        requirement="macro_f1 >= 0",
        is_forced=True,
        regressions=("F1 of ned falls",),
    )
    with database.read() as connection:
        first, second = list_promotions(connection)
    assert (first.model, first.is_forced, first.requirement) == ("cast@1", False, None)
    assert first.promoted_at == FIRST.created_at
    assert (second.model, second.is_forced) == ("cast@2", True)
    assert (second.requirement, second.regressions) == ("macro_f1 >= 0", ("F1 of ned falls",))


def test_a_rollback_of_a_thousand_episodes_takes_as_few_statements_as_one(
    database: Database,
) -> None:
    count = 1000
    fill(database, count)
    before = shown(database), episodes_of(database)
    assert promote(database, SECOND) == count
    assert set(shown(database).values()) == {"seen_by_2"}
    statements: list[str] = []
    listen(
        database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: statements.append(statement),
    )
    began = time.perf_counter()
    assert go_back(database) == ("cast@2", "cast@1", count)
    assert_in_time(f"{count} episodes rolled back", time.perf_counter() - began, 5)
    assert len(statements) < 20, "the server goes through the episodes, not we"
    assert (shown(database), episodes_of(database)) == before


def episodes_of(database: Database) -> list[object]:
    with database.read() as connection:
        return list(list_episodes(connection))


def fill(database: Database, count: int) -> None:
    """So many episodes, each with a run of FIRST, which is shown, and one of SECOND."""
    ended_run(database, FIRST, "episode 0")
    with database.write() as connection:
        model_ids = [register_model_version(connection, model) for model in (FIRST, SECOND)]
        connection.execute(text("DELETE FROM current_run"))
        connection.execute(text("DELETE FROM appearance"))
        [template] = connection.execute(episode.select()).mappings().all()
        values = {key: value for key, value in template.items() if key != "id"}
        connection.execute(
            insert(episode),
            [
                values | {"name": f"episode {number}", "sha256": f"{number + 10**12:064d}"}
                for number in range(1, count)
            ],
        )
        connection.execute(text("DELETE FROM chunk"))
        connection.execute(text("DELETE FROM run"))
        rows = connection.execute(episode.select()).all()
        moment = template["added_at"]
        made = {
            "params": PARAMS,
            "params_hash": HASH,
            "state": "done",
            "chunks_total": 0,
            "chunks_done": 0,
            "frames": 10,
            "decode_errors": 0,
            "missing": "[]",
            "queued_at": moment,
            "ended_at": moment,
        }
        connection.execute(
            insert(run),
            [
                made | {"episode_id": row.id, "model_version_id": model_id}
                for row in rows
                for model_id in model_ids
            ],
        )
        runs = connection.execute(run.select()).all()
        connection.execute(
            insert(appearance),
            [
                {
                    "run_id": row.id,
                    "label": f"seen_by_{1 + model_ids.index(row.model_version_id)}",
                    "start_pts": 1000,
                    "end_pts": 4500,
                    "episode_id": row.episode_id,
                    "start_seconds": 1.0,
                    "end_seconds": 4.5,
                    "frames": 7,
                    "mean_confidence": 0.8,
                    "max_confidence": 0.9,
                }
                for row in runs
            ],
        )
        connection.execute(
            insert(current_run),
            [
                {"episode_id": row.episode_id, "run_id": row.id}
                for row in runs
                if row.model_version_id == model_ids[0]
            ],
        )
