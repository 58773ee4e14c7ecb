"""What work took: gathered by each process, added up in the database, told to people."""

import json
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from db.engine import Database, Transaction
from db.errors import DatabaseCutError
from db.library.runs import list_runs
from db.queue.statistics import RunStatistics, add_statistics, run_statistics
from db.states import Statistic
from tests.rows.records import made_episode, make_run
from tests.servers.commands import BY_LOT, castline, new_home
from tests.video.clips import write_clip
from worker.steps.statistics import StatisticsRecorder

pytestmark = pytest.mark.integration


def test_what_processes_spend_adds_up_by_run(database: Database) -> None:
    one, other = (make_run(database, made_episode(sha * 64, f"{sha}.mkv")) for sha in "ab")
    first, second = StatisticsRecorder(), StatisticsRecorder()
    first.add(Statistic.DECODE, [one], 2.0)
    first.add(Statistic.DEVICE, [one, one, other], 3.0)
    second.add(Statistic.DECODE, [one], 0.5)
    second.add(Statistic.FRAMES, [other], 60)
    second.add(Statistic.PLACES, [other], 64)
    for statistics in (first, second, first):  # the third time nothing is left to write
        statistics.write(database, at_once=True)
    with database.read() as connection:
        found = run_statistics(connection)
        assert run_statistics(connection, [other]) == {other: found[other]}
    assert found == {
        one: RunStatistics(decode=2.5, device=2.0),
        other: RunStatistics(device=1.0, frames=60, places=64),
    }
    assert (found[one].bottleneck, found[one].batch_fill) == ("decode", None)
    assert (found[other].bottleneck, found[other].batch_fill) == ("device", 60 / 64)
    assert RunStatistics().bottleneck is None


def test_it_is_written_every_few_seconds_only(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(database)
    now = 100.0
    monkeypatch.setattr("worker.steps.statistics.time.monotonic", lambda: now)
    statistics = StatisticsRecorder()

    def written() -> float | None:
        statistics.add(Statistic.READ, [run], 1.0)
        statistics.write(database)
        with database.read() as connection:
            return run_statistics(connection).get(run, RunStatistics()).read or None

    assert written() is None
    now = 105.0
    assert written() == 2.0
    assert written() == 2.0
    now = 110.0
    assert written() == 4.0


def test_what_a_cut_kept_back_is_written_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_arguments: object) -> None:
        raise DatabaseCutError("gone")

    run = make_run(database)
    statistics = StatisticsRecorder()
    statistics.add(Statistic.READ, [run], 1.0)
    with monkeypatch.context() as patch:
        patch.setattr("worker.steps.statistics.add_statistics", cut)
        statistics.write(database, at_once=True)
    statistics.add(Statistic.READ, [run], 2.0)
    statistics.write(database, at_once=True)
    with database.read() as connection:
        assert run_statistics(connection) == {run: RunStatistics(read=3.0)}


def test_what_is_of_a_run_that_was_pruned_is_dropped(database: Database) -> None:
    run = make_run(database)
    with database.write() as connection:
        add_statistics(connection, {(run, Statistic.READ): 1.0, (run + 1, Statistic.READ): 1.0})
    with database.read() as connection:
        assert run_statistics(connection) == {run: RunStatistics(read=1.0)}


def test_a_name_that_this_version_does_not_know_is_left_out(database: Database) -> None:
    run = make_run(database)
    with database.write() as connection:
        add_statistics(connection, {(run, Statistic.READ): 1.0})
        allow_any_statistic(connection)
        connection.execute(text(f"INSERT INTO run_effort VALUES ({run}, 'of_a_later', 2.0)"))
    with database.read() as connection:
        assert run_statistics(connection) == {run: RunStatistics(read=1.0)}


def allow_any_statistic(connection: Transaction) -> None:
    """As a database may be that others changed."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
    else:
        connection.exec_driver_sql("ALTER TABLE run_effort DROP CONSTRAINT ck_run_effort_name")


def test_processes_that_add_at_once_lose_nothing(database: Database) -> None:
    run = make_run(database)

    def spend() -> None:
        statistics = StatisticsRecorder()
        for _ in range(20):
            statistics.add(Statistic.DEVICE, [run], 1.0)
            statistics.write(database, at_once=True)

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert run_statistics(connection)[run].device == 80.0


def test_the_end_of_a_run_and_status_say_what_it_took(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "made.mp4")
    home = new_home(tmp_path / "home")
    ended = castline(home, "tag", clip, *BY_LOT, chunk_seconds=10)
    assert ended.returncode == 0, ended.stderr
    [line] = [line for line in ended.stderr.splitlines() if "Most time went to" in line]
    [run] = json.loads(castline(home, "status", "--json").stdout)
    assert all(run["seconds"][stage] > 0 for stage in ("decode", "device", "database"))
    assert run["bottleneck"] == max(run["seconds"], key=lambda stage: run["seconds"][stage])
    assert line.endswith(f"Most time went to: {run['bottleneck']}.")
    assert f"decode {run['seconds']['decode']:.1f} s" in line
    assert 0 < run["batch_fill"] <= 1
    table = castline(home, "status").stdout
    assert run["bottleneck"] in table

    again = castline(home, "tag", clip, *BY_LOT, chunk_seconds=10)
    assert "Most time" not in again.stderr  # nothing was done
    database = Database(f"sqlite:///{home / 'castline.db'}")
    with database.read() as connection:
        assert len(list_runs(connection)) == 1
    database.dispose()
