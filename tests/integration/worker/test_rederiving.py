"""Appearances derived again by other thresholds: as new runs would make them, and all together."""

import threading
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from db.changes.thresholds import thresholds_set, write_thresholds
from db.changes.writes import register_model_version, retry_run
from db.engine import Database, Transaction
from db.library.current import RunSelection
from db.library.runs import get_run, run_appearances
from db.questions.appearances import find_appearances, screen_time, shared_time
from tests.integration.worker.test_finish import BY_SHOTS, give_up_next, tag_chunk
from tests.rows.records import PARAMS, episode_named, made_model, make_run
from timeline.appearances.rules import Rules
from worker.parameters import RunParameters, params_with_thresholds
from worker.steps.rederiving import Rederived, rederive

pytestmark = pytest.mark.integration

HIGH = Rules(
    0.9,
    0.7,
    min_duration_on_seconds=Fraction(1),
    min_duration_off_seconds=Fraction(2),
    label_thresholds={"homer_simpson": (0.5, 0.5)},
)

TAGS = {500: 0.8, 1000: 0.95, 1500: 0.75, 2000: 0.65, 4000: 0.92, 4500: 0.92, 9000: 0.95}
"""Ned's confidences by pts."""


def change(database: Database, rules: Rules, meanwhile: threading.Event | None = None) -> Rederived:
    with database.write() as connection:
        key = register_model_version(connection, made_model())

    def progress(done: int, total: int) -> None:
        if meanwhile is not None and done == total:
            meanwhile.set()

    return rederive(database, key, rules, lambda _connection: None, progress)


def tagged(database: Database, name: str, params: str = PARAMS) -> int:
    """A run over an episode of one chunk that ended with these tags; returns its number."""
    run_id = make_run(
        database, episode_named(name), chunks=((0, 60_000),), params=params, hashed=True
    )
    shots = [700, 3900] if "shots" in params else None
    assert tag_chunk(database, TAGS, shots=shots)
    return run_id


def rows(database: Database, run_id: int) -> list[Any]:
    """A run's appearances and what they add up to."""
    shown = RunSelection(run_id=run_id)
    with database.read() as connection:
        return [
            run_appearances(connection, run_id),
            screen_time(connection, None, selection=shown),
            shared_time(connection, (), selection=shown),
            get_run(connection, run_id).state,
        ]


@pytest.mark.parametrize("params", [PARAMS, BY_SHOTS])
def test_rows_are_as_a_new_run_with_these_thresholds_would_make_them(
    database: Database, params: str
) -> None:
    old = tagged(database, "first.mkv", params)
    new = tagged(database, "second.mkv", params_with_thresholds(params, HIGH))
    assert rows(database, old)[0] != rows(database, new)[0]
    done = change(database, HIGH)
    assert (done.runs, done.appearances) == (2, sum(len(rows(database, x)[0]) for x in (old, new)))
    assert rows(database, old) == rows(database, new)
    with database.read() as connection:
        first, second = (get_run(connection, run_id) for run_id in (old, new))
    assert first.params == second.params
    assert RunParameters.from_json(first.params).rules == replace(
        HIGH, shots=RunParameters.from_json(params).rules.shots
    )


def test_a_new_run_with_them_is_the_one_that_is_there(database: Database) -> None:
    run_id = tagged(database, "first.mkv")
    change(database, HIGH)
    again = make_run(
        database,
        episode_named("first.mkv"),
        params=params_with_thresholds(PARAMS, HIGH),
        hashed=True,
    )
    assert again == run_id


def test_there_and_back_everything_is_as_it_was(database: Database) -> None:
    run_id = tagged(database, "first.mkv")
    before = rows(database, run_id)
    with database.read() as connection:
        params = get_run(connection, run_id).params
    change(database, HIGH)
    assert rows(database, run_id) != before
    change(database, RunParameters.from_json(PARAMS).rules)
    assert rows(database, run_id) == before
    with database.read() as connection:
        assert get_run(connection, run_id).params == params


def test_other_models_and_what_lies_beside_thresholds_stay(database: Database) -> None:
    other = make_run(database, model=made_model("2" * 64, "2"), chunks=((0, 60_000),), hashed=True)
    assert tag_chunk(database, TAGS)
    before = rows(database, other)
    finer = tagged(database, "first.mkv", PARAMS.replace("1/2", "1/4"))
    change(database, HIGH)
    assert rows(database, other) == before
    with database.read() as connection:
        assert RunParameters.from_json(get_run(connection, finer).params).every_seconds == Fraction(
            1, 4
        )


def test_runs_that_would_be_the_same_stay_apart_and_are_all_derived(database: Database) -> None:
    old = tagged(database, "first.mkv")
    new = tagged(database, "first.mkv", params_with_thresholds(PARAMS, HIGH))
    for _ in range(2):  # a second time, too
        assert change(database, HIGH).runs == 2
        assert rows(database, old) == rows(database, new)
        with database.read() as connection:
            params = [get_run(connection, run_id).params for run_id in (old, new)]
        assert params[0] != params[1] == params_with_thresholds(PARAMS, HIGH)


def test_a_run_that_ends_later_uses_them(database: Database) -> None:
    early = tagged(database, "first.mkv")
    late = make_run(database, episode_named("late.mkv"), chunks=((0, 60_000),), hashed=True)
    change(database, HIGH)
    assert tag_chunk(database, TAGS)
    assert rows(database, late) == rows(database, early)


def test_a_run_that_is_tried_again_shows_them_of_what_it_saw(database: Database) -> None:
    run_id = make_run(
        database, episode_named("first.mkv"), chunks=((0, 60_000), (60_000, 120_000)), hashed=True
    )
    tag_chunk(database, TAGS)
    give_up_next(database, run_id)
    with database.read() as connection:
        assert get_run(connection, run_id).state == "partial"
    whole = tagged(database, "second.mkv")
    with database.write() as connection:
        assert retry_run(connection, run_id) == 1
    assert change(database, HIGH).runs == 2
    with database.read() as connection:
        assert run_appearances(connection, run_id) == run_appearances(connection, whole)


def test_what_ends_while_others_are_derived_is_derived_too(
    database: Database,
) -> None:
    first = tagged(database, "first.mkv")
    make_run(database, episode_named("late.mkv"), chunks=((0, 60_000),), hashed=True)
    with database.write() as connection:
        key = register_model_version(connection, made_model())

    def end_another(done: int, total: int) -> None:
        if done == total:
            assert tag_chunk(database, TAGS)

    assert rederive(database, key, HIGH, lambda _connection: None, end_another).runs == 2
    assert rows(database, first) == rows(database, first + 1)


def test_readers_see_all_old_or_all_new(database: Database) -> None:
    runs = [tagged(database, f"{number}.mkv") for number in range(12)]
    old = rows(database, runs[0])[0]
    seen: list[list[object]] = []
    stop = threading.Event()

    def poll() -> None:
        while not stop.is_set():
            with database.read() as connection:
                found = find_appearances(connection)
            by_run: dict[int, list[object]] = {run_id: [] for run_id in runs}
            for item in found:
                by_run[item.run_id].append(item.appearance)
            seen.append([*by_run.values()])

    reader = threading.Thread(target=poll)
    reader.start()
    try:
        for rules in (HIGH, RunParameters.from_json(PARAMS).rules, HIGH):
            change(database, rules)
    finally:
        stop.set()
        reader.join()
    new = rows(database, runs[0])[0]
    assert len(seen) > 1
    for answer in seen:
        assert answer in ([old] * 12, [new] * 12)


def test_what_is_written_beside_is_written_with_them_or_not_at_all(database: Database) -> None:
    run_id = tagged(database, "first.mkv")
    before = rows(database, run_id)
    with database.write() as connection:
        key = register_model_version(connection, made_model())

    def fail(connection: Transaction) -> None:
        write_thresholds(connection, key, "{}")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        rederive(database, key, HIGH, fail, lambda _done, _total: None)
    assert rows(database, run_id) == before
    with database.read() as connection:
        assert thresholds_set(connection, made_model().sha256) is None
