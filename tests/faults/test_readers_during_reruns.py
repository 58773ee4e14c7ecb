"""Whoever asks during re-runs and kills sees all of the old run or all of the new one."""

import os
import random
import threading
from functools import partial
from pathlib import Path

import pytest

from db.engine import Database
from db.library.runs import list_runs, run_appearances
from db.questions.appearances import find_appearances
from db.records import AppearanceRecord
from tests.rows.found import assert_nothing_is_stuck, rows_of
from tests.servers.commands import castline, castline_here, start_castline
from tests.servers.processes import run_under_kills
from tests.stills.models import write_model_by_lot
from tests.waiting import wait_until
from worker.settings import sqlite_url

pytestmark = [pytest.mark.integration, pytest.mark.fault]

RERUNS = int(os.environ.get("CASTLINE_RERUNS", "2"))
KILLS_PER_RERUN = 2


class Reader:
    """Asks again and again, as `who` does and as people do with their own SQL."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answers: set[tuple[AppearanceRecord, ...]] = set()
        self.rows: set[tuple[tuple[object, ...], ...]] = set()
        self.asked = 0

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.wait()
        self._stopped.set()
        self._thread.join()

    def wait(self) -> None:
        """Until a question was asked and answered that nobody has begun to ask yet."""
        enough = self.asked + 2
        wait_until(lambda: self.asked >= enough or not self._thread.is_alive())

    def _ask(self) -> None:
        database = Database(sqlite_url(self._home))
        while not self._stopped.wait(0.01):
            with database.read() as connection:
                found = find_appearances(connection)
            self.answers.add(tuple(item.appearance for item in found))
            with rows_of(self._home) as connection:
                rows = connection.execute(
                    "SELECT label, start_seconds, end_seconds, model FROM timeline"
                    " ORDER BY start_seconds, label"
                )
                self.rows.add(tuple(tuple(row) for row in rows))
            self.asked += 1
        database.dispose()


def test_no_reader_sees_a_mix_of_two_runs(clip: Path, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    lot = random.Random(seed)
    home = tmp_path / "home"
    for number in range(RERUNS + 1):
        write_model_by_lot(
            home / "models",
            "lot",
            lot=number,
            version=str(number),
            created_at=f"2026-01-01T00:{number // 60:02}:{number % 60:02}+00:00",
        )
    ended = castline(home, "tag", clip, "--model", "lot@0", chunk_seconds=10)
    assert ended.returncode == 0, ended.stderr
    with Reader(home) as reader:
        for number in range(1, RERUNS + 1):
            reader.wait()
            promoted = castline_here(home, "models", "promote", f"lot@{number}", "--force")
            assert promoted.returncode == 0, promoted.stderr
            killed = run_under_kills(
                partial(start_castline, home, "rerun", "--stale"), KILLS_PER_RERUN, lot
            )
            print(f"seed {seed}: killed {dict(killed)}")

    assert_nothing_is_stuck(home)
    database = Database(sqlite_url(home))
    with database.read() as connection:
        runs = list_runs(connection)
        whole = {tuple(run_appearances(connection, run.id)): run.model for run in runs}
    database.dispose()
    assert len(whole) == RERUNS + 1, "each model has an answer of its own"
    assert reader.asked > 0
    assert reader.answers <= whole.keys()
    assert set(whole.values()) == {whole[answer] for answer in reader.answers}
    expected = {
        tuple((item.label, item.start_seconds, item.end_seconds, model) for item in answer)
        for answer, model in whole.items()
    }
    assert reader.rows <= expected
    assert len(reader.rows) == RERUNS + 1
