"""Who is alive, and what status and doctor say of work that waits."""

import json
from pathlib import Path

import pytest
from celery import Celery

from db.engine import Database
from db.queue.alive import AliveWorker, alive_workers, tell_alive, tell_gone
from db.queue.claims import claim_chunks
from db.states import ChunkState, Step
from db.upgrade import upgrade_database
from ingest.decoder.parent import Decoder
from tests.rows.records import episode_named, make_run
from tests.servers.commands import castline_here
from tests.waiting import wait_until
from worker.alive import living_workers
from worker.cluster.sweeper import Sweeper
from worker.embedded.runner import EmbeddedRunner, RunnerOptions
from worker.identity import worker_identity
from worker.installation import open_installation
from worker.settings import Settings

pytestmark = pytest.mark.integration

ELSEWHERE = AliveWorker("far away/7/1/elsewhere")


def test_a_worker_is_alive_until_it_is_gone_or_silent_for_too_long(database: Database) -> None:
    ours = AliveWorker("here/8/1/here", (Step.EXTRACT,), (3, 5))
    with database.write() as connection:
        tell_alive(connection, ELSEWHERE, 60)
        tell_alive(connection, ELSEWHERE, 60)
        tell_alive(connection, ours, 60)
        tell_alive(connection, AliveWorker("silent/9/1/silent"), -1)
    with database.write() as connection:
        assert alive_workers(connection) == [ELSEWHERE, ours]
        tell_gone(connection, ours)
        assert alive_workers(connection) == [ELSEWHERE]


def test_a_process_of_this_machine_that_was_killed_is_not_believed(database: Database) -> None:
    host, pid, _, scope = worker_identity().rsplit("/", 3)
    with database.write() as connection:
        tell_alive(connection, AliveWorker(f"{host}/{pid}/1/{scope}"), 60)
        tell_alive(connection, AliveWorker(worker_identity()), 60)
        assert [worker.identity for worker in living_workers(connection)] == [worker_identity()]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two queued runs."""
    database = database_of(tmp_path)
    upgrade_database(database)
    for name in ("first.mkv", "second.mkv"):
        make_run(database, episode_named(name))
    database.dispose()
    return tmp_path


def database_of(home: Path) -> Database:
    return Database(Settings.from_environment(home, {}).database_url)


def said(home: Path) -> str:
    return castline_here(home, "status").stderr


def finding(home: Path) -> dict[str, object]:
    found = json.loads(castline_here(home, "doctor", "--json").stdout)
    [one] = [each for each in found if each["subject"] == "workers"]
    return dict(one)


def test_queued_work_without_a_worker_says_what_to_run(home: Path) -> None:
    assert castline_here(home, "status").stdout.count("queued, nobody at work") == 2
    assert "2 runs wait, and no worker is alive for that; run: castline worker\n" in said(home)
    assert finding(home) == {
        "subject": "workers",
        "is_well": False,
        "text": "2 runs wait, and no worker is alive to classify and extract; run: castline worker",
    }
    runs = json.loads(castline_here(home, "status", "--json").stdout)
    assert [each["lacks"] for each in runs] == [["extract", "classify"]] * 2


def test_work_that_waits_while_a_worker_is_busy_with_other_work_is_looked_after(
    home: Path,
) -> None:
    database = database_of(home)
    with database.write() as connection:
        tell_alive(connection, ELSEWHERE, 60)
        [first] = claim_chunks(connection, ChunkState.QUEUED, ELSEWHERE.identity, 60)
        connection.exec_driver_sql("UPDATE run SET state = 'running'")
    database.dispose()
    ended = castline_here(home, "status")
    assert "nobody" not in ended.stdout
    assert ended.stdout.count("running, waiting") == 1
    assert ended.stderr.endswith("\nAt work: extract and classify on far away, process 7\n")
    assert "run: castline worker" not in ended.stderr
    assert finding(home)["text"] == "1 on far away alive, 2 runs to do"
    assert first.run_id == 1


def test_a_step_that_nobody_does_is_named(home: Path) -> None:
    database = database_of(home)
    with database.write() as connection:
        tell_alive(connection, AliveWorker("far/7/1/away", (Step.EXTRACT,)), 60)
    database.dispose()
    assert "no worker is alive for that; run: castline worker --queues classify\n" in said(home)


def test_a_tag_command_looks_after_its_own_runs_alone(home: Path) -> None:
    database = database_of(home)
    with database.write() as connection:
        tell_alive(connection, AliveWorker("far/7/1/away", run_ids=(2,)), 60)
    database.dispose()
    assert "1 run waits, and no worker" in said(home)
    assert "on runs 2 alone" in said(home)
    assert castline_here(home, "status").stdout.count("nobody at work") == 1


def test_the_embedded_runner_says_that_it_is_alive_and_that_it_ends(tmp_path: Path) -> None:
    with open_installation(Settings.from_environment(tmp_path, {})) as installation:
        runner = EmbeddedRunner(installation, RunnerOptions(1), Decoder)
        seen: list[AliveWorker] = []

        def look(_progress: object) -> None:
            with installation.database.read() as connection:
                seen.extend(living_workers(connection))

        assert runner.run(look)
        assert {worker.identity for worker in seen} == {worker_identity()}
        with installation.database.read() as connection:
            assert living_workers(connection) == []


def test_a_celery_worker_says_so_by_its_sweeper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sweeper, "_look", lambda _: None)  # which asks a broker
    with open_installation(Settings.from_environment(tmp_path, {})) as installation:

        def steps() -> list[tuple[str, ...]]:
            with installation.database.read() as connection:
                return [worker.steps for worker in living_workers(connection)]

        with Sweeper(installation, Celery(), Step.CLASSIFY, lambda: None):
            wait_until(lambda: steps() == [("classify",)])
        assert steps() == []
