"""Two transactions that meet on PostgreSQL at any of their statements take turns and lose nothing.

The first stops after each of its statements that lock rows, until the second is done or waits for
it; so every place in which they can meet is tried, and nothing depends on chance.
"""

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Table, event, insert, select, text

from castline.corrections.judging import Said, correct
from castline.errors import NotFoundError
from castline.tagging.enqueue import enqueue_episode, model_record
from db.changes.promotions import GateReport, promote_model, use_bundled
from db.changes.pruning import remove_runs
from db.changes.removing import remove_episode, remove_model, remove_runs_of_model
from db.changes.thresholds import write_thresholds
from db.changes.writes import replace_tags
from db.engine import Database, Transaction
from db.errors import NotFoundError as StoredNotFoundError
from db.library.corrections import count_corrections
from db.library.runs import current_run_of, list_runs, run_appearances
from db.queue.claims import claim_chunks
from db.queue.completing import complete_extractions, complete_taggings
from db.records import ExtractedChunk, TagRecord
from db.schema import metadata
from db.states import ChunkState, RunState
from db.upgrade import upgrade_database
from exact.video_file import VideoFile
from ingest.decoder.parent import Decoder
from ingest.errors import VideoError
from ingest.media.probe import Probe
from model.version.artifact import find_model
from tests.integration.db.test_meetings import is_waiting_for_a_lock
from tests.rows.looked_at import looked_at
from tests.rows.records import made_episode, made_model
from tests.servers.databases import new_postgresql_url
from tests.waiting import PATIENCE_SECONDS, wait_until
from timeline.appearances.rules import Rules
from worker.installation import Installation
from worker.parameters import RunParameters, thresholds_json
from worker.settings import Settings
from worker.steps.finish import finish_run_if_complete
from worker.steps.rederiving import rederive

pytestmark = pytest.mark.integration

LOCKS = re.compile(
    r"(INSERT INTO|UPDATE|DELETE FROM)"
    r" (episode|run|model_version|current_run|promotion|correction)\b"
    r"|FOR (NO KEY UPDATE|UPDATE|SHARE)"
)
"""Statements after which a transaction holds rows that others may want, too."""

SAMPLES = tuple(range(0, 360_000, 500))
TRIAL = made_model()
STRICT = Rules(0.9, 0.9, min_duration_on_seconds=Fraction(1), min_duration_off_seconds=Fraction(1))

ENDED, OPEN = 1, 2
"""The runs: one of another model that ended, and one of the model in use that is about to end."""


@dataclass(frozen=True)
class Meeting:
    """A library of one episode, for each transaction with a connection of its own."""

    database: Database
    home: Path

    @property
    def installation(self) -> Installation:
        return Installation(Settings(home=self.home, database_url=""), self.database)


Rows = dict[Table, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def prepared(postgresql_base_url: str) -> tuple[str, Rows]:
    """A database's URL and its rows: of a run that ended, and another that is about to."""
    url = new_postgresql_url(postgresql_base_url)
    database = Database(url)
    upgrade_database(database)
    version = find_model(None)
    with database.write() as connection:
        use_bundled(connection, model_record(version))
    seen = {"homer_simpson": [(10_000, 30_000, 0.95)]}
    assert looked_at(database, seen, cuts=(10_000, 20_000), model=TRIAL) == ENDED
    found = enqueue_episode(
        Path("/episodes/pilot.mkv"),
        database=database,
        decoder=_Decoder(),
        version=version,
        parameters=None,
        chunk_seconds=3600,
    )
    assert (found.run.id, found.is_new) == (OPEN, True)
    with database.write() as connection:
        claims = claim_chunks(connection, ChunkState.QUEUED, "w/1/1.0", 3600)
        complete_extractions(connection, dict.fromkeys(claims, ExtractedChunk(SAMPLES, 9, 0, ())))
        rows = {
            table: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in metadata.sorted_tables
        }
    database.dispose()
    return url, rows


def restore(database: Database, rows: Rows) -> None:
    names = ", ".join(table.name for table in rows)
    with database.write() as connection:
        connection.exec_driver_sql(f"TRUNCATE {names}")
        for table, some in rows.items():
            if some:
                connection.execute(insert(table), some)


def ends(meeting: Meeting) -> None:
    """As a worker ends a run with its last chunk."""
    with meeting.database.write() as connection:
        claims = claim_chunks(connection, ChunkState.EXTRACTED, "w/1/1.0", 3600)
    tags = [TagRecord(pts, "homer_simpson", "full", 0.95, pts / 1000) for pts in SAMPLES[20:60]]
    with meeting.database.write() as connection:
        if held := complete_taggings(connection, claims) if claims else []:
            replace_tags(connection, {held[0]: tags})
            assert finish_run_if_complete(connection, held[0].run_id)


def enqueues(meeting: Meeting) -> None:
    """As a file is tagged again that was moved meanwhile."""
    found = enqueue_episode(
        Path("/moved/pilot.mkv"),
        database=meeting.database,
        decoder=_Decoder(),
        version=find_model(None),
        parameters=None,
        chunk_seconds=3600,
    )
    assert not found.is_new


class _Decoder(Decoder):
    """In place of the decoder: the file is where it is sought, and no longer where it was."""

    def __init__(self) -> None:
        pass

    def probe(self, path: Path, on_progress: object = None) -> Probe:
        episode = made_episode()
        described = {field.name: getattr(episode, field.name) for field in fields(VideoFile)}
        return Probe(**described, path=str(path))

    def prove(self, path: Path, content: object) -> None:
        raise VideoError(f"{path}: is gone")


def corrects(meeting: Meeting) -> None:
    correct(meeting.installation, "pilot.mkv", Said("homer_simpson", at=12, is_="ned_flanders"))


def adds(meeting: Meeting) -> None:
    """Another person corrects the same episode."""
    correct(meeting.installation, "pilot.mkv", Said(add="ned_flanders", from_=100, to=110))


def sets_thresholds(meeting: Meeting, model_version_id: int = 1) -> None:
    def write(connection: Transaction) -> None:
        write_thresholds(connection, model_version_id, thresholds_json(STRICT))

    rederive(meeting.database, model_version_id, STRICT, write, lambda *_: None)


def sets_thresholds_of_the_trial(meeting: Meeting) -> None:
    sets_thresholds(meeting, 2)


def promotes(meeting: Meeting) -> None:
    with meeting.database.write() as connection:
        promote_model(connection, TRIAL, GateReport())


def prunes(meeting: Meeting) -> None:
    with meeting.database.write() as connection:
        remove_runs(connection, [ENDED, OPEN], model_record(find_model(None)))


def removes_the_episode(meeting: Meeting) -> None:
    with meeting.database.write() as connection:
        remove_episode(connection, 1)


def removes_the_trial(meeting: Meeting) -> None:
    with meeting.database.write() as connection:
        remove_runs_of_model(connection, [ENDED])
        remove_model(connection, TRIAL.sha256)


Work = Callable[[Meeting], None]

PAIRS: tuple[tuple[Work, Work], ...] = (
    (ends, enqueues),
    (ends, corrects),
    (corrects, ends),
    (ends, sets_thresholds),
    (ends, promotes),
    (ends, prunes),
    (ends, removes_the_trial),
    (ends, removes_the_episode),
    (corrects, adds),
    (corrects, sets_thresholds_of_the_trial),
    (sets_thresholds_of_the_trial, corrects),
    (corrects, removes_the_episode),
    (corrects, removes_the_trial),
    (enqueues, sets_thresholds),
    (promotes, prunes),
)


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda work: work.__name__)
def test_two_that_meet_take_turns_and_lose_nothing(
    first: Work,
    second: Work,
    prepared: tuple[str, Rows],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = threading.Event()
    pause = SimpleNamespace(sleep=lambda _seconds: tried.set())
    monkeypatch.setattr("worker.steps.rederiving.time", pause)
    url, rows = prepared
    for place in itertools.count(1):
        with opened(url, tmp_path) as meeting:
            restore(meeting.database, rows)
        tried.clear()
        has_stopped = meet(url, tmp_path, first, second, place, tried)
        with opened(url, tmp_path) as meeting:
            check(meeting, {first, second})
        if not has_stopped:
            assert place > 1
            break


@contextmanager
def opened(url: str, home: Path) -> Iterator[Meeting]:
    database = Database(url)
    yield Meeting(database, home)
    database.dispose()


def meet(
    url: str, home: Path, first: Work, second: Work, place: int, tried: threading.Event
) -> bool:
    """Let the second work while the first stands at a place; return whether it came to it."""
    stopped, ended, goes_on = threading.Event(), threading.Event(), threading.Event()
    statements = itertools.count(1)
    errors: list[BaseException] = []

    def stop(*execution: Any) -> None:
        if LOCKS.search(execution[2]) and next(statements) == place:
            stopped.set()
            assert goes_on.wait(PATIENCE_SECONDS)

    def run(work: Work, meeting: Meeting, done: threading.Event) -> None:
        try:
            work(meeting)
        except (NotFoundError, StoredNotFoundError):
            pass  # the other one removed it
        except BaseException as error:  # the test reports it
            errors.append(error)
        finally:
            done.set()

    with opened(url, home) as one, opened(url, home) as other, opened(url, home) as watching:
        event.listen(one.database.engine, "after_cursor_execute", stop)
        threads = [
            threading.Thread(target=run, args=(first, one, ended)),
            threading.Thread(target=run, args=(second, other, done := threading.Event())),
        ]
        threads[0].start()
        wait_until(lambda: stopped.is_set() or ended.is_set())
        threads[1].start()
        wait_until(
            lambda: done.is_set() or tried.is_set() or is_waiting_for_a_lock(watching.database)
        )
        goes_on.set()
        for thread in threads:
            thread.join()
    assert errors == [], (first.__name__, second.__name__, place)
    return stopped.is_set()


def check(meeting: Meeting, works: set[Work]) -> None:
    """What was said and found counts, whoever came first."""
    with meeting.database.read() as connection:
        if removes_the_episode in works:
            assert connection.execute(text("SELECT count(*) FROM episode")).scalar_one() == 0
            assert connection.execute(text("SELECT count(*) FROM run")).scalar_one() == 0
            return
        runs = {run.id: run for run in list_runs(connection)}
        shown = current_run_of(connection, 1)
        assert shown is not None or removes_the_trial in works
        if ends in works:
            assert runs[OPEN].state is RunState.DONE
            assert shown is not None
            assert shown.id == (ENDED if promotes in works else OPEN)
        if sets_thresholds in works:
            assert RunParameters.from_json(runs[OPEN].params).rules == replace(
                STRICT, shots=RunParameters.from_json(runs[OPEN].params).rules.shots
            )
        said = [(corrects, 10_000, 20_000), (adds, 100_000, 110_000)]
        expected = [(start, end) for work, start, end in said if work in works]
        for run_id in (ENDED, OPEN):
            if run_id in runs and runs[run_id].state is RunState.DONE:
                assert count_corrections(connection, run_id) == len(expected)
                for start, end in expected:
                    assert [
                        one.label
                        for one in run_appearances(connection, run_id)
                        if one.start_pts < end and start < one.end_pts
                    ] == ["ned_flanders"]
