"""What people say of answers: it counts wherever answers are given, and nothing of it is lost."""

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from castline.asking.values import Appearance
from castline.corrections.managing import CONTENTS_AT_ONCE
from castline.errors import NotFoundError, RequestError
from castline.library import Library
from castline.tagging.enqueue import model_record
from db.changes.promotions import GateReport, promote_model, use_bundled
from db.changes.pruning import remove_runs
from db.changes.writes import register_episode
from db.engine import Database
from db.questions.snapshot import write_snapshot
from db.upgrade import upgrade_database
from model.version.artifact import find_model
from tests.rows.looked_at import looked_at
from tests.rows.records import made_episode, made_model
from tests.servers.databases import downgrade_database, new_postgresql_url, with_reader
from timeline.appearances.rules import Rules
from worker.settings import Settings
from worker.steps.finish import finish_run_if_complete
from worker.steps.rederiving import rederive

pytestmark = pytest.mark.integration

SEEN = {
    "homer_simpson": [(10_000, 30_000, 0.7), (60_000, 70_000, 0.9)],
    "ned_flanders": [(40_000, 50_000, 0.8)],
}
CUTS = (10_000, 20_000, 40_000, 60_000)
PILOT = "pilot.mkv"
NEWER = made_model("d" * 64, "2", year=2027)


def promote(database: Database) -> None:
    """Make the newer model the one in use, in place of the first."""
    with database.write() as connection:
        use_bundled(connection, made_model())
        promote_model(connection, NEWER, GateReport())


def library_on(database: Database, home: Path) -> Library:
    url = database.url.render_as_string(hide_password=False)
    return Library(replace(Settings.from_environment(home, {}), database_url=url))


@pytest.fixture
def library(database: Database, tmp_path: Path) -> Iterator[Library]:
    """A library on either database, with a run over an episode of six minutes."""
    looked_at(database, SEEN, cuts=CUTS)
    with library_on(database, tmp_path) as library:
        yield library


Spans = dict[str, list[tuple[float, float]]]


def spans(library: Library, **options: Any) -> Spans:
    found: Spans = {}
    for one in library.who(PILOT, **options):
        found.setdefault(one.label, []).append((one.start_seconds, one.end_seconds))
    return found


RAW = {"homer_simpson": [(10.0, 30.0), (60.0, 70.0)], "ned_flanders": [(40.0, 50.0)]}


def test_one_verdict_covers_the_shot(library: Library) -> None:
    [made] = library.correct(PILOT, "homer", at=12, is_="ned")
    assert (made.start_seconds, made.end_seconds) == (10, 20)
    assert (made.model, made.confidence) == ("cast@1", 0.7)
    assert spans(library) == {
        "homer_simpson": [(20.0, 30.0), (60.0, 70.0)],
        "ned_flanders": [(10.0, 20.0), (40.0, 50.0)],
    }
    assert spans(library, raw=True) == RAW


def test_the_whole_appearance_if_it_is_said(library: Library) -> None:
    library.correct(PILOT, "homer", at=12, wrong=True, whole=True)
    assert spans(library)["homer_simpson"] == [(60.0, 70.0)]


def test_a_range_is_where_the_label_was_in_it(library: Library) -> None:
    made = library.correct(PILOT, "homer", from_=25, to=65, is_="ned")
    assert [(one.start_seconds, one.end_seconds) for one in made] == [(25, 30), (60, 65)]
    assert spans(library)["ned_flanders"] == [(25.0, 30.0), (40.0, 50.0), (60.0, 65.0)]


def test_who_was_missed_is_added_for_the_shot_or_the_range(library: Library) -> None:
    library.correct(PILOT, add="ned", at=25)
    library.correct(PILOT, add="homer", from_="1:30", to="1:32.5")
    assert spans(library) == {
        "homer_simpson": [(10.0, 30.0), (60.0, 70.0), (90.0, 92.5)],
        "ned_flanders": [(20.0, 50.0)],  # the shot from 20 to 40 touches what the model saw
    }


def test_a_border_is_moved_either_way(library: Library) -> None:
    [made] = library.correct(PILOT, "ned", at=45, start="0:38.25", end=44)
    assert (made.start_seconds, made.end_seconds) == (38.25, 50)
    assert (made.part_start_seconds, made.part_end_seconds) == (38.25, 44)
    assert spans(library)["ned_flanders"] == [(38.25, 44.0)]


def test_a_persons_word_is_told_as_such(library: Library) -> None:
    library.correct(PILOT, "ned", at=45, right=True)
    by_label: dict[str, Appearance] = {one.label: one for one in library.who(PILOT)}
    assert (by_label["ned_flanders"].is_corrected, by_label["ned_flanders"].frames) == (True, 20)
    assert by_label["ned_flanders"].mean_confidence == 1
    assert not by_label["homer_simpson"].is_corrected


def test_every_question_takes_it_and_leaves_it_out_on_demand(
    library: Library, database: Database, tmp_path: Path
) -> None:
    library.correct(PILOT, "homer", from_=60, to=70, is_="ned")
    library.correct(PILOT, add="homer", from_=45, to=48)

    def seconds(**options: Any) -> dict[str, float]:
        return {one.label: one.seconds for one in library.screen_time(**options)}

    assert seconds() == {"homer_simpson": 23, "ned_flanders": 20}
    assert seconds(raw=True) == {"homer_simpson": 30, "ned_flanders": 10}
    assert seconds(raw=True, by="episode", episode=PILOT) == seconds(raw=True)

    def starts(answer: Any) -> list[float]:
        return [float(one.start_seconds) for one in answer]

    assert starts(library.when("ned")) == [40, 60]
    assert starts(library.when("ned", raw=True)) == [40]
    assert starts(library.when("ned & homer")) == [45]
    assert starts(library.when("ned & homer", raw=True)) == []
    assert starts(library.when("ned", run=1, raw=True)) == [40]
    assert starts(library.when("ned", model="cast", raw=True)) == [40]
    assert [one.seconds for one in library.together()] == [3]
    assert list(library.together(raw=True)) == []
    assert [one.seconds for one in library.together("ned", "homer")] == [3]
    library.correct(PILOT, "homer", at=12, wrong=True, whole=True)
    assert starts(library.first("homer")) == [45]
    assert starts(library.first("homer", raw=True)) == [10]

    truth = tmp_path / "truth.csv"
    truth.write_text("label,start_seconds,end_seconds\nned_flanders,40,50\nned_flanders,60,70\n")
    scored, raw = library.evaluate(PILOT, truth), library.evaluate(PILOT, truth, raw=True)
    assert (scored.corrections, raw.corrections) == (3, 0)
    assert scored.f1 > 0.9 > raw.f1
    assert library.evaluate_at_samples(PILOT, truth, raw=True).f1 < 0.9

    for options, expected in (({}, [40, 45, 60]), ({"raw": True}, [10, 40, 60])):
        library.export(PILOT, "json", tmp_path, force=True, **options)  # type: ignore[arg-type]
        ranges = json.loads((tmp_path / "pilot.json").read_text("utf-8"))["ranges"]
        assert sorted(one["start_seconds"] for one in ranges) == expected
    library.plot(PILOT, tmp_path / "corrected.svg")
    library.plot(PILOT, tmp_path / "raw.svg", raw=True)
    assert (tmp_path / "corrected.svg").read_text() != (tmp_path / "raw.svg").read_text()

    with database.read() as connection:
        rows = connection.execute(text("SELECT label, start_seconds FROM timeline")).all()
        assert sorted(start for _, start in rows) == [40, 45, 60]
        write_snapshot(connection, tmp_path / "snapshot.db", {})
    with closing(sqlite3.connect(tmp_path / "snapshot.db")) as snapshot:
        [[corrected]] = snapshot.execute("SELECT sum(is_corrected) FROM appearance").fetchall()
        [[said]] = snapshot.execute("SELECT count(*) FROM correction").fetchall()
    assert (corrected, said) == (2, 3)


def test_what_is_undone_is_as_before_and_may_be_brought_back(library: Library) -> None:
    [made] = library.correct(PILOT, "homer", at=12, is_="ned", author="ann", reason="a beard")
    assert made.author == "ann"
    [undoing] = library.undo_corrections([made.key[:8]], reason="no beard")
    assert spans(library) == RAW
    assert [one.stands for one in library.corrections(PILOT)] == [True, False]
    with pytest.raises(RequestError, match="undone already"):
        library.undo_corrections([made.key])
    library.undo_corrections([undoing.key])
    assert spans(library)["ned_flanders"][0] == (10, 20)
    assert [one.verdict for one in library.corrections()] == ["undo", "undo", "relabel"]


def test_the_latest_word_counts_and_says_what_it_contradicts(library: Library) -> None:
    [first] = library.correct(PILOT, "homer", at=12, is_="ned")
    [second] = library.correct(PILOT, "ned", at=12, wrong=True)
    assert second.supersedes == first.key
    assert spans(library)["ned_flanders"] == [(40.0, 50.0)]
    assert spans(library)["homer_simpson"] == [(20.0, 30.0), (60.0, 70.0)]


def test_what_was_said_before_is_said_once(library: Library) -> None:
    for author, count in (("ann", 1), ("ann", 1), ("bob", 2)):
        library.correct(PILOT, "ned", at=45, right=True, author=author)
        assert len(library.corrections()) == count


def test_a_label_that_nobody_knows_is_taken_if_that_is_meant(library: Library) -> None:
    with pytest.raises(NotFoundError, match="--new takes it as a new label"):
        library.correct(PILOT, "homer", at=12, is_="Hans Moleman")
    library.correct(PILOT, "homer", at=12, is_="Hans Moleman", new=True)
    assert [one.label for one in library.when("moleman")] == ["hans_moleman"]
    library.correct(PILOT, "moleman", at=12, is_="unknown")
    assert [one.verdict for one in library.corrections(limit=1)] == ["wrong"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"label": "homer", "at": 12}, "say one thing"),
        ({"label": "homer", "at": 12, "right": True, "wrong": True}, "say one thing"),
        ({"at": 12, "right": True}, "name whose appearance"),
        ({"label": "homer", "add": "ned", "at": 12}, "name whose appearance"),
        ({"label": "homer", "right": True}, "say when"),
        ({"label": "homer", "right": True, "at": 1, "from_": 2}, "say when"),
        ({"label": "homer", "right": True, "from_": 2}, "two ends"),
        ({"label": "homer", "start": 2, "from_": 2, "to": 3}, "say --at"),
        ({"label": "homer", "right": True, "at": 55}, "not on screen at 55"),
        ({"label": "homer", "right": True, "at": 500}, "ends at 00:06:00.000"),
        ({"label": "homer", "right": True, "from_": 500, "to": 501}, "ends at 00:06:00.000"),
        ({"label": "homer", "right": True, "from_": 31, "to": 59}, "not on screen from 31"),
        ({"label": "homer", "right": True, "from_": 31, "to": 31}, "must end after its start"),
        ({"label": "homer", "is_": "homer", "at": 12}, "it is homer_simpson already"),
        ({"add": "homer", "from_": 12, "to": 14}, "on screen then already"),
        ({"label": "homer", "at": 12, "start": 31}, "would end before its start"),
        ({"label": "homer", "at": 12, "start": 10}, "there already"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    tmp_path: Path, words: dict[str, Any], complaint: str
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'castline.db'}")
    upgrade_database(database)
    looked_at(database, SEEN, cuts=CUTS)
    with (
        library_on(database, tmp_path) as library,
        pytest.raises((RequestError, NotFoundError), match=complaint) as refused,
    ):
        library.correct(PILOT, **words)
    assert "\n" not in str(refused.value)
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM correction")).scalar_one() == 0
    database.dispose()


def test_times_are_borders_where_tables_show_them_so(library: Library, database: Database) -> None:
    odd = made_episode("e" * 64, "odd.mkv")
    looked_at(database, {"ned_flanders": [(10_000, 30_000, 0.7)]}, episode=odd)
    [made] = library.correct("odd.mkv", "ned", from_="10.0004", to="29.9996", right=True)
    assert (made.start_pts, made.end_pts) == (10_000, 30_000)


def statuses(library: Library) -> dict[str, str]:
    return {one.correction.verdict: one.status for one in library.corrections_status()}


def test_after_a_rerun_each_correction_is_told_how_it_stands(
    library: Library, database: Database
) -> None:
    library.correct(PILOT, "homer", at=12, is_="ned")
    library.correct(PILOT, "ned", at=45, right=True)
    library.correct(PILOT, "homer", at=65, wrong=True)
    library.correct(PILOT, add="ned", from_=90, to=95)
    library.correct(PILOT, "homer", at=25, end=28)
    assert statuses(library) == {
        "relabel": "needed",
        "right": "agrees",
        "wrong": "needed",
        "add": "needed",
        "trim": "needed",
    }
    before = spans(library)
    better = {
        "homer_simpson": [(20_000, 28_000, 0.9), (60_000, 70_000, 0.99)],
        "ned_flanders": [(10_000, 20_000, 0.9)],
    }
    looked_at(database, better, cuts=CUTS, model=NEWER)
    promote(database)
    assert statuses(library) == {
        "relabel": "agrees",
        "right": "contradicted",  # the new model does not see what was confirmed
        "wrong": "contradicted",  # the new model is surer of what was wrong
        "add": "needed",
        "trim": "agrees",
    }
    assert spans(library) == before  # what was put right stays right
    assert spans(library, raw=True)["ned_flanders"] == [(10.0, 20.0)]
    assert spans(library, model="cast@1") == before
    assert spans(library, model="cast@1", raw=True) == RAW

    library.correct(PILOT, "ned", at=12, is_="homer")
    assert "replaced" in {one.status for one in library.corrections_status(PILOT)}


def test_a_run_that_ends_takes_what_was_said_of_its_content(
    library: Library, database: Database
) -> None:
    library.correct(PILOT, "homer", at=12, is_="ned")
    with database.write() as connection:  # as a worker ends it, out of its tags
        connection.execute(text("UPDATE run SET state = 'running', ended_at = NULL"))
        assert finish_run_if_complete(connection, 1)
    assert spans(library)["ned_flanders"] == [(10.0, 20.0), (40.0, 50.0)]
    assert spans(library, raw=True) == RAW


def test_prune_takes_runs_and_never_what_people_said(library: Library, database: Database) -> None:
    library.correct(PILOT, "homer", at=12, is_="ned")
    looked_at(database, SEEN, cuts=CUTS, model=NEWER)
    looked_at(database, SEEN, cuts=CUTS, model=made_model("f" * 64, "0", year=2020))
    promote(database)
    with database.write() as connection:
        assert remove_runs(connection, [3], model_record(find_model(None))) == 1
    assert spans(library)["ned_flanders"][0] == (10, 20)
    tables = ("corrected_run", "raw_appearance", "raw_run_label", "raw_run_pair")
    with database.read() as connection:
        for table in tables:
            rows = connection.execute(text(f"SELECT DISTINCT run_id FROM {table}")).scalars()
            assert set(rows) <= {1, 2}
        assert connection.execute(text("SELECT count(*) FROM correction")).scalar_one() == 1


def test_a_file_that_moved_keeps_what_was_said_of_it(library: Library, database: Database) -> None:
    library.correct(PILOT, "homer", at=12, is_="ned")
    with database.write() as connection:
        register_episode(connection, replace(made_episode(), uri="/elsewhere/other.mkv"))
    assert spans(library)["ned_flanders"][0] == (10, 20)


def test_corrections_go_to_another_library_and_wait_there_for_their_episode(
    library: Library, tmp_path: Path
) -> None:
    [first] = library.correct(PILOT, "homer", at=12, is_="ned", reason="täuscht")
    library.correct(PILOT, add="Hans Moleman", from_=90, to=95, new=True)
    library.correct(PILOT, "ned", at=45, start=41)
    library.undo_corrections([first.key])
    file = tmp_path / "corrections.json"
    assert library.export_corrections(file) == 4
    with pytest.raises(Exception, match="--force"):
        library.export_corrections(file)
    assert library.export_corrections(file, PILOT, force=True) == 4

    other = Database(f"sqlite:///{tmp_path / 'other' / 'castline.db'}")
    upgrade_database(other)
    with library_on(other, tmp_path / "other") as elsewhere:
        done = elsewhere.import_corrections(file)
        assert (done.added, done.known, done.episodes, done.elsewhere) == (4, 0, 0, 1)
        assert [one.status for one in elsewhere.corrections_status()] == ["untagged"] * 2
        assert elsewhere.corrections()[0].start_seconds is None
        looked_at(other, SEEN, cuts=CUTS)
        assert spans(elsewhere) == spans(library)
        done = elsewhere.import_corrections(file)
        assert (done.added, done.known, done.episodes) == (0, 4, 0)
        kept, mine = (
            [replace(one, episode="") for one in each.corrections()]
            for each in (elsewhere, library)
        )
        assert kept == mine
    other.dispose()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"key": "x"}, "correction 1: cannot be used"),
        ({"label": "../.."}, "is no label"),
        ({"verdict": "maybe"}, "maybe"),
        ({"end_pts": 0}, "must end after its start"),
        ({"end_pts": True}, "no pts"),
        ({"made_at": "2026-01-01"}, "no time zone"),
        ({"confidence": 7}, "no confidence"),
        ({"author": None}, "no text"),
        ({"other": None}, "belongs to relabel"),
    ],
)
def test_a_file_of_corrections_that_cannot_be_is_refused_whole(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'castline.db'}")
    upgrade_database(database)
    looked_at(database, SEEN, cuts=CUTS)
    file = tmp_path / "corrections.json"
    with library_on(database, tmp_path) as library:
        library.correct(PILOT, "homer", at=12, is_="ned")
        library.export_corrections(file)
        values = json.loads(file.read_text("utf-8"))
        [row] = values["corrections"]
        values["corrections"] = [row | {"key": "f" * 32} | change]
        file.write_text(json.dumps(values))
        with pytest.raises(RequestError, match=complaint) as refused:
            library.import_corrections(file)
        assert "\n" not in str(refused.value)
        file.write_text("[]")
        with pytest.raises(RequestError, match="is no file of corrections"):
            library.import_corrections(file)
        assert len(library.corrections()) == 1
    database.dispose()


def test_people_who_correct_at_the_same_time_lose_nothing(
    library: Library, database: Database, tmp_path: Path
) -> None:
    """Four people, each with a connection of their own, ten times each; a run ends meanwhile."""
    begun = threading.Barrier(5)

    def judge(number: int) -> None:
        begun.wait()
        with library_on(database, tmp_path) as own:
            for start in range(100 + 4 * number, 300, 20):
                own.correct(PILOT, add="ned", from_=start, to=start + 2, author=str(number))

    def end_a_run() -> None:
        begun.wait()
        looked_at(database, SEEN, cuts=CUTS, model=NEWER)

    with ThreadPoolExecutor(5) as people:
        done = [people.submit(judge, number) for number in range(4)]
        done.append(people.submit(end_a_run))
    for each in done:
        each.result()
    assert len(library.corrections()) == 40
    added = {
        (start, start + 2) for start in (100 + 20 * t + 4 * n for t in range(10) for n in range(4))
    }
    for model in ("cast@1", "cast@2"):
        assert added <= set(spans(library, model=model)["ned_flanders"])
    moments = [one.made_at for one in library.corrections()]
    assert moments == sorted(moments, reverse=True)
    assert len(set(moments)) == 40


def test_undone_corrections_leave_every_row_as_it_was(library: Library, database: Database) -> None:
    def rows() -> dict[str, set[tuple[Any, ...]]]:
        tables = ("appearance", "run_label", "run_pair", "corrected_run", "raw_appearance")
        with database.read() as connection:
            return {
                table: {tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))}
                for table in tables
            }

    before = rows()
    made = [
        *library.correct(PILOT, "homer", at=12, is_="ned"),
        *library.correct(PILOT, add="homer", from_=45, to=48),
        *library.correct(PILOT, "ned", at=45, wrong=True),
    ]
    changed = rows()
    assert changed["raw_appearance"] == before["appearance"]
    assert len(changed["appearance"] & before["appearance"]) == 1, "what nobody spoke of"
    library.undo_corrections([one.key for one in made])
    assert rows() == before


JUDGE = """
import sys
from tests.integration.library.test_corrections import library_on
from db.engine import Database
from pathlib import Path

database, first = Database(sys.argv[1]), int(sys.argv[3])
with library_on(database, Path(sys.argv[2])) as library:
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(first, first + 150, 10):
        library.correct("pilot.mkv", add="ned", from_=start, to=start + 3, author=sys.argv[3])
"""


def test_two_processes_that_correct_one_episode_lose_nothing(
    library: Library, database: Database, tmp_path: Path
) -> None:
    url = database.url.render_as_string(hide_password=False)
    judges = [
        subprocess.Popen(
            [sys.executable, "-c", JUDGE, url, str(tmp_path), str(first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in (100, 105)
    ]
    for judge in judges:
        assert judge.stdout is not None
        assert judge.stdout.readline() == "ready\n"
    for judge in judges:
        judge.communicate("go\n")
        assert judge.returncode == 0
    assert len(library.corrections()) == 30
    expected = {(start, start + 3) for start in range(100, 255, 5) if start < 250}
    assert expected <= set(spans(library)["ned_flanders"])


def test_a_correction_made_while_thresholds_change_counts(
    library: Library, database: Database
) -> None:
    """After the new appearances were derived, and before they are shown."""

    def correct(done: int, total: int) -> None:
        if done == total:
            library.correct(PILOT, "homer", at=12, is_="ned")

    rederive(database, 1, Rules(onset=0.75, offset=0.75), lambda _: None, correct)
    assert spans(library) == {
        "homer_simpson": [(60.0, 70.0)],
        "ned_flanders": [(10.0, 20.0), (40.0, 50.0)],
    }
    assert spans(library, raw=True) == {
        "homer_simpson": [(60.0, 70.0)],
        "ned_flanders": [(40.0, 50.0)],
    }


def test_an_import_of_many_contents_is_the_same_as_one_by_one(
    library: Library, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More contents than share a transaction or memory, of which some are not here."""
    monkeypatch.setattr("worker.steps.correcting.RUNS_AT_ONCE", 10)
    for number in range(CONTENTS_AT_ONCE + 5):
        episode = made_episode(f"{number:064x}", f"{number:02}.mkv")
        looked_at(database, SEEN, cuts=CUTS, episode=episode)
        library.correct(episode.name, "homer", at=12, is_="ned")
        [wrong] = library.correct(episode.name, add="ned", from_=100, to=110)
        library.undo_corrections([wrong.key])
    file = tmp_path / "all.json"
    assert library.export_corrections(file) == 3 * (CONTENTS_AT_ONCE + 5)
    expected = [astuple(one) for one in library.when("ned")]

    other = Database(f"sqlite:///{tmp_path / 'other' / 'castline.db'}")
    upgrade_database(other)
    looked_at(other, SEEN, cuts=CUTS)
    for number in range(CONTENTS_AT_ONCE + 3):
        episode = made_episode(f"{number:064x}", f"{number:02}.mkv")
        looked_at(other, SEEN, cuts=CUTS, episode=episode)
    with library_on(other, tmp_path / "other") as elsewhere:
        done = elsewhere.import_corrections(file)
        told = (done.added, done.known, done.episodes, done.elsewhere)
        assert told == (3 * (CONTENTS_AT_ONCE + 5), 0, CONTENTS_AT_ONCE + 3, 2)
        for number in (CONTENTS_AT_ONCE + 3, CONTENTS_AT_ONCE + 4):
            episode = made_episode(f"{number:064x}", f"{number:02}.mkv")
            looked_at(other, SEEN, cuts=CUTS, episode=episode)
        assert [astuple(one) for one in elsewhere.when("ned")] == expected
        done = elsewhere.import_corrections(file)
        assert (done.added, done.known, done.episodes) == (0, 3 * (CONTENTS_AT_ONCE + 5), 0)
    other.dispose()


def test_a_database_of_before_keeps_its_answers(database: Database, tmp_path: Path) -> None:
    looked_at(database, SEEN, cuts=CUTS)
    downgrade_database(database, "0010")
    assert upgrade_database(database)
    with library_on(database, tmp_path) as library:
        assert spans(library) == spans(library, raw=True) == RAW


def test_the_reader_of_own_sql_reads_corrections(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database = Database(new_postgresql_url(request.getfixturevalue("postgresql_base_url")))
    upgrade_database(database)
    looked_at(database, SEEN, cuts=CUTS)
    with library_on(with_reader(database), tmp_path) as library:
        library.correct(PILOT, "homer", at=12, is_="ned")
        answer = library.sql("SELECT verdict, label, other FROM correction")
        assert answer.rows == (("relabel", "homer_simpson", "ned_flanders"),)
    database.dispose()


def test_an_episode_with_nobody_in_it_may_get_somebody(
    library: Library, database: Database
) -> None:
    other = made_episode("e" * 64, "empty.mkv")
    looked_at(database, {}, episode=other)
    library.correct("empty.mkv", add="ned", from_=1, to=2)
    assert [one.label for one in library.who("empty.mkv")] == ["ned_flanders"]
    assert list(library.who("empty.mkv", raw=True)) == []
    [made] = library.corrections("empty.mkv")
    library.undo_corrections([made.key])
    assert list(library.who("empty.mkv")) == []


def test_corrections_outlive_other_thresholds(library: Library, database: Database) -> None:
    library.correct(PILOT, "homer", at=12, is_="ned")
    higher = Rules(onset=0.75, offset=0.75)
    rederive(database, 1, higher, lambda _: None, lambda *_: None)
    assert spans(library) == {
        "homer_simpson": [(60.0, 70.0)],
        "ned_flanders": [(10.0, 20.0), (40.0, 50.0)],
    }
    assert spans(library, raw=True) == {
        "homer_simpson": [(60.0, 70.0)],
        "ned_flanders": [(40.0, 50.0)],
    }
