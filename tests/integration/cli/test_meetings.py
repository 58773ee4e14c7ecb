"""Questions about a made library, beside rows counted by hand and what sqlite3 reads."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from castline.asking.timelines import find_matches
from cli.console import LARGEST_INTEGER, LARGEST_RUN
from db.engine import Database
from db.errors import DatabaseError, NotFoundError
from db.library.current import find_selection
from db.questions.appearances import Season, first_appearances, screen_time, shared_time
from db.questions.reading import select_rows
from db.questions.snapshot import write_snapshot
from db.records import AppearanceRecord, EpisodeRecord, ModelVersionRecord
from db.upgrade import upgrade_database
from tests.rows.records import end_run, made_episode, made_model, make_run
from tests.servers.commands import castline_here, one_line
from tests.servers.databases import with_reader
from timeline.expressions import parse_expression
from worker.settings import Settings

pytestmark = pytest.mark.integration

Shown = dict[str, list[tuple[int, int]]]

PILOT: Shown = {
    "homer_simpson": [(0, 10), (20, 30)],
    "ned_flanders": [(5, 12), (40, 50)],
}
SECOND: Shown = {"homer_simpson": [(100, 101)], "ned_flanders": [(100, 103)]}
THIRD: Shown = {"ned_flanders": [(7, 8)]}
MISSING = ((15_000, 25_000),)
"""Of the second episode, in milliseconds."""

SELECTS = "SELECT episode, count(*) AS n FROM timeline GROUP BY episode ORDER BY episode"


def fill(database: Database) -> None:
    """Three episodes of six minutes, in seconds: the second was not examined from 15 to 25."""
    shift = replace(made_episode("e" * 64, "Show.S01E02.mkv"), start_pts=5_000, end_pts=365_000)
    add(database, made_episode(name="Show.S01E01.mkv"), PILOT)
    add(database, shift, SECOND, ((20_000, 30_000),))
    add(database, made_episode("f" * 64, "Show.s2e1.mkv"), THIRD)


def add(
    database: Database,
    episode: EpisodeRecord,
    shown: Shown,
    missing: tuple[tuple[int, int], ...] = (),
    model: ModelVersionRecord | None = None,
) -> None:
    run_id = make_run(database, episode, model)
    end_run(
        database,
        run_id,
        [
            AppearanceRecord(
                label,
                start * 1000 + episode.start_pts,
                end * 1000 + episode.start_pts,
                float(start),
                float(end),
                frames=2 * (end - start),
                mean_confidence=0.8,
                max_confidence=0.9,
            )
            for label, ranges in shown.items()
            for start, end in ranges
        ],
        "partial" if missing else "done",
        missing,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("library")
    database = Database(Settings.from_environment(home, {}).database_url)
    upgrade_database(database)
    fill(database)
    database.dispose()
    return home


def answer(home: Path, *arguments: str) -> Any:
    ended = castline_here(home, *arguments, "--json")
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    return json.loads(ended.stdout)


def found(home: Path, *arguments: str) -> list[tuple[str, float, float]]:
    """Episode number, start and end of what `when` answers."""
    return [
        (item["episode"][5:-4], item["start_seconds"], item["end_seconds"])
        for item in answer(home, "when", *arguments)
    ]


WHEN = {
    "ned & homer": [("S01E01", 5, 10), ("S01E02", 100, 101)],
    "ned & !homer": [
        ("S01E01", 10, 12),
        ("S01E01", 40, 50),
        ("S01E02", 101, 103),
        ("s2e1", 7, 8),
    ],
    "homer | ned": [
        ("S01E01", 0, 12),
        ("S01E01", 20, 30),
        ("S01E01", 40, 50),
        ("S01E02", 100, 103),
        ("s2e1", 7, 8),
    ],
    "!'ned' & !(homer)": [
        ("S01E01", 12, 20),
        ("S01E01", 30, 40),
        ("S01E01", 50, 360),
        ("S01E02", 0, 15),  # from 15 to 25 nobody looked
        ("S01E02", 25, 100),
        ("S01E02", 103, 360),
        ("s2e1", 0, 7),
        ("s2e1", 8, 360),
    ],
}


@pytest.mark.parametrize("expression", WHEN)
def test_when_answers_a_set_expression_in_every_episode(expression: str, home: Path) -> None:
    assert found(home, expression) == WHEN[expression]


def test_when_is_limited_to_an_episode_a_season_and_a_number_of_rows(home: Path) -> None:
    assert found(home, "ned", "--season", "2") == [("s2e1", 7, 8)]
    assert found(home, "ned", "--episode", "S01E02") == [("S01E02", 100, 103)]
    first_two = castline_here(home, "when", "ned", "--limit", "2", "--json")
    assert [item["start_seconds"] for item in json.loads(first_two.stdout)] == [5, 40]
    assert one_line(first_two.stderr) == "The first 2 are shown; --limit 0 shows all."
    assert len(found(home, "ned", "--limit", "4")) == len(found(home, "ned", "--limit", "0")) == 4


def test_when_fills_gaps_and_then_drops_what_is_short(home: Path) -> None:
    pilot = ("homer | ned", "--episode", "S01E01")
    assert found(home, *pilot, "--gap", "8") == [("S01E01", 0, 30), ("S01E01", 40, 50)]
    assert found(home, *pilot, "--gap", "0:07.9", "--min-seconds", "12") == [("S01E01", 0, 12)]
    # The gap from 15 to 25 s of the second episode holds a part that nobody looked at.
    second = ("!ned", "--episode", "S01E02", "--gap", "30")
    assert found(home, *second) == [("S01E02", 0, 15), ("S01E02", 25, 360)]


def test_when_of_one_label_tells_its_appearances_and_of_an_expression_none(home: Path) -> None:
    [item] = answer(home, "when", "ned", "--season", "2")
    assert (item["label"], item["expression"]) == ("ned_flanders", "ned_flanders")
    assert (item["frames"], item["mean_confidence"], item["max_confidence"]) == (2, 0.8, 0.9)
    [both, _] = answer(home, "when", "homer&ned")
    assert (both["label"], both["expression"]) == (None, "homer_simpson & ned_flanders")
    assert (both["frames"], both["start_pts"], both["end_pts"]) == (None, 5_000, 10_000)
    table = castline_here(home, "when", "ned", "--season", "2").stdout.split()
    assert table[-6:] == [
        *("Show.s2e1.mkv", "00:00:07.000", "00:00:08.000"),
        *("ned", "flanders", "0.80"),
    ]


def test_a_bad_expression_is_shown_with_a_caret(home: Path) -> None:
    ended = castline_here(home, "when", "ned & | homer")
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "castline: column 7 of the expression: a name, ! or ( is missing here",
        "  ned & | homer",
        "        ^",
    ]
    misspelt = castline_here(home, "when", "ned & hommer")
    assert "did you mean homer_simpson?" in one_line(misspelt.stderr)


def test_who_takes_a_range(home: Path) -> None:
    def names(*arguments: str) -> list[tuple[str, float]]:
        shown = answer(home, "who", "S01E01", *arguments)
        return [(item["label"][:3], item["start_seconds"]) for item in shown]

    assert names("--from", "10", "--to", "40") == [("ned", 5), ("hom", 20)]
    assert names("--from", "12") == [("hom", 20), ("ned", 40)]
    assert names("--to", "5") == [("hom", 0)]
    for wrong in (["--from", "9", "--to", "9"], ["--at", "3", "--to", "9"], ["--from", "360"]):
        ended = castline_here(home, "who", "S01E01", *wrong)
        assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    unseen = castline_here(home, "who", "S01E02", "--from", "14", "--to", "16")
    assert "Not examined: 00:00:15.000 to 00:00:25.000." in unseen.stderr


def test_screen_time_is_added_up_by_character_episode_and_season(home: Path) -> None:
    assert answer(home, "screen-time") == [
        {"label": "homer_simpson", "seconds": 21.0, "appearances": 3, "episodes": 2},
        {"label": "ned_flanders", "seconds": 21.0, "appearances": 4, "episodes": 3},
    ]
    by_season = answer(home, "screen-time", "--by", "season", "--label", "ned")
    assert [(item["season"], item["seconds"]) for item in by_season] == [(1, 20.0), (2, 1.0)]
    by_episode = answer(home, "screen-time", "--by", "episode", "--season", "1")
    assert [(item["episode"][5:-4], item["label"][:3], item["seconds"]) for item in by_episode] == [
        ("S01E01", "hom", 20.0),
        ("S01E01", "ned", 17.0),
        ("S01E02", "ned", 3.0),
        ("S01E02", "hom", 1.0),
    ]


def test_together_tells_pairs_and_of_two_the_episodes(home: Path) -> None:
    pair = {"label": "homer_simpson", "other": "ned_flanders"}
    assert answer(home, "together") == [{**pair, "seconds": 6.0, "times": 2, "episodes": 2}]
    assert answer(home, "together", "ned") == answer(home, "together")
    by_episode = answer(home, "together", "ned", "homer")
    assert [(item["episode"][5:-4], item["seconds"], item["times"]) for item in by_episode] == [
        ("S01E01", 5.0, 1),
        ("S01E02", 1.0, 1),
    ]
    assert answer(home, "together", "--season", "2") == []


def test_first_tells_the_first_appearance_of_each_episode(home: Path) -> None:
    shown = answer(home, "first", "ned")
    assert [(item["episode"][5:-4], item["start_seconds"], item["end_pts"]) for item in shown] == [
        ("S01E01", 5, 12_000),
        ("S01E02", 100, 108_000),
        ("s2e1", 7, 8_000),
    ]


@pytest.mark.parametrize(
    "question", [("when", "ned"), ("together",), ("first", "ned"), ("screen-time",)], ids=" ".join
)
def test_a_season_that_was_not_looked_at_is_not_denied(
    question: tuple[str, ...], home: Path
) -> None:
    of_none = castline_here(home, *question, "--season", "9")
    assert of_none.returncode == 1
    assert "--season 9: no episode of it was tagged; castline status" in one_line(of_none.stderr)
    of_the_first_run = castline_here(home, *question, "--season", "2", "--run", "1")
    assert of_the_first_run.returncode == 1
    assert "tagged by the run or model that is asked for" in one_line(of_the_first_run.stderr)
    assert castline_here(home, *question, "--season", "1", "--run", "1").returncode == 0


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which cast@1 looked at two episodes, cast@2 at the first, and cast@3 at none yet.

    Its runs, in this order: 1 and 2, 3, 4.
    """
    home = tmp_path_factory.mktemp("versions")
    database = Database(Settings.from_environment(home, {}).database_url)
    upgrade_database(database)
    first, second = made_episode(), made_episode("d" * 64, "second.mkv")
    newer, newest = made_model("2" * 64, "2", 2027), made_model("3" * 64, "3", 2028)
    add(database, first, PILOT)
    add(database, second, SECOND)
    add(database, first, THIRD, model=newer)
    make_run(database, first, newest)
    database.dispose()
    return home


@pytest.mark.parametrize(
    "question",
    [("when", "homer"), ("when", "!homer"), ("screen-time",), ("together",)],
    ids=" ".join,
)
@pytest.mark.parametrize(("option", "value"), [("--model", "cast@2"), ("--run", "3")])
def test_nobody_is_denied_where_the_asked_run_or_model_did_not_look(
    question: tuple[str, ...], option: str, value: str, versions: Path
) -> None:
    ended = castline_here(versions, *question, "--episode", "second", option, value)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "second.mkv: no such run of this episode" in one_line(ended.stderr)
    assert castline_here(versions, *question, "--episode", "pilot", option, value).returncode == 0


@pytest.mark.parametrize(
    "question",
    [("when", "ned"), ("screen-time",), ("together",), ("first", "ned"), ("who", "pilot")],
    ids=" ".join,
)
@pytest.mark.parametrize("model", ["cast@3", "cast"])
def test_nobody_is_denied_by_a_model_of_which_no_run_ended(
    question: tuple[str, ...], model: str, versions: Path
) -> None:
    ended = castline_here(versions, *question, "--model", model)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"model {model}: none of its runs ended yet" in one_line(ended.stderr)


QUESTIONS = {
    "who": ("who", "S01E01"),
    "when": ("when", "ned"),
    "screen-time": ("screen-time",),
    "together": ("together",),
    "first": ("first", "ned"),
    "plot": ("plot", "S01E01", "-o", "nowhere/never.png"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_run_and_a_model_are_not_asked_at_once(question: str, home: Path) -> None:
    ended = castline_here(home, *QUESTIONS[question], "--run", "1", "--model", "nosuch@9")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "--run and --model" in one_line(ended.stderr)


@pytest.mark.parametrize(
    ("question", "option"),
    [
        *[(question, "--model") for question in QUESTIONS if question != "plot"],
        *[(question, "--episode") for question in ("when", "screen-time", "together")],
        ("screen-time", "--label"),
    ],
)
def test_an_empty_value_is_not_taken_for_none(question: str, option: str, home: Path) -> None:
    ended = castline_here(home, *QUESTIONS[question], option, "")  # a variable that is not set
    assert (ended.returncode, ended.stdout) == (1, "")
    assert one_line(ended.stderr)


@pytest.mark.parametrize("arguments", [("who", ""), ("together", ""), ("together", "ned", "")])
def test_an_empty_name_fits_nothing(arguments: tuple[str, ...], tmp_path: Path) -> None:
    database = Database(Settings.from_environment(tmp_path, {}).database_url)
    upgrade_database(database)
    add(database, made_episode(), PILOT)  # the only one, so that any part of its name is enough
    database.dispose()
    ended = castline_here(tmp_path, *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert one_line(ended.stderr)


def test_together_with_oneself_is_refused(home: Path) -> None:
    ended = castline_here(home, "together", "homer", "Homer Simpson")
    assert ended.returncode == 1
    assert "homer_simpson: is named twice" in one_line(ended.stderr)


def test_both_databases_answer_alike(database: Database) -> None:
    fill(database)
    with database.read() as connection:
        assert [(item.label, item.seconds) for item in screen_time(connection)] == [
            ("homer_simpson", 21.0),
            ("ned_flanders", 21.0),
        ]
        assert [item.season for item in screen_time(connection, by="season")] == [1, 1, 2]
        [pair] = shared_time(connection)
        assert (pair.seconds, pair.times, pair.episodes) == (6.0, 2, 2)
        by_episode = shared_time(connection, ("homer_simpson", "ned_flanders"), by_episode=True)
        assert [item.seconds for item in by_episode] == [5.0, 1.0]
        assert len(first_appearances(connection, "ned_flanders")) == 3
        asked = parse_expression("ned_flanders & !homer_simpson")
        matches = list(find_matches(connection, asked, gap_seconds=Fraction(28)))
    assert [(int(item.start_seconds), int(item.end_seconds)) for item in matches] == [
        (10, 50),
        (101, 103),
        (7, 8),
    ]
    assert select_rows(with_reader(database), SELECTS).rows == [
        ("Show.S01E01.mkv", 4),
        ("Show.S01E02.mkv", 2),
        ("Show.s2e1.mkv", 1),
    ]


def test_both_databases_take_the_largest_numbers_that_may_be_given(database: Database) -> None:
    fill(database)
    rows = LARGEST_INTEGER  # one more than the most that may be asked for is read
    with database.read() as connection:
        assert screen_time(connection, season=Season(LARGEST_INTEGER), limit=rows) == []
        assert len(screen_time(connection, limit=rows)) == 2
        with pytest.raises(NotFoundError, match="no such run"):
            find_selection(connection, LARGEST_RUN, None)


def test_totals_are_those_of_the_latest_appearances_and_go_with_their_run(
    database: Database,
) -> None:
    add(database, made_episode(), PILOT)
    add(database, made_episode(), THIRD)  # the same run again
    with database.read() as connection:
        assert [(item.label, item.seconds) for item in screen_time(connection)] == [
            ("ned_flanders", 1.0)
        ]
        assert shared_time(connection) == []
    with database.write() as connection:
        for table in ("current_run", "appearance", "chunk", "run"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        assert connection.exec_driver_sql("SELECT * FROM run_label").all() == []


def test_sql_prints_a_table_and_json(home: Path) -> None:
    assert answer(home, "sql", SELECTS)[0] == {"episode": "Show.S01E01.mkv", "n": 4}
    table = castline_here(home, "sql", "SELECT 1 AS \"[/x]\", NULL AS empty, 'a' AS text")
    assert [line.split() for line in table.stdout.splitlines()] == [
        ["[/x]", "empty", "text"],
        ["1", "a"],
    ]
    assert "one SELECT" in one_line(castline_here(home, "sql", "DROP TABLE run").stderr)


def test_a_snapshot_is_a_read_only_file_that_datasette_serves(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.db"
    assert castline_here(home, "snapshot", "-o", str(path)).returncode == 0
    assert path.stat().st_mode & 0o777 == 0o444
    served = subprocess.run(
        [sys.executable, "-m", "datasette", "-i", path, "--get", "/out/timeline.json?_shape=array"],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path)},
    )
    rows = json.loads(served.stdout)
    assert len(rows) == 7
    assert rows[0] == {
        "episode": "Show.S01E01.mkv",
        "label": "homer_simpson",
        "start_seconds": 0.0,
        "end_seconds": 10.0,
        "confidence": 0.8,
        "model": "cast@1",
        "episode_id": 1,
        "series": "Show",
        "season": 1,
        "number": 1,
        "title": None,
    }
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        named = connection.execute("SELECT name FROM character WHERE label = 'homer_simpson'")
        assert named.fetchall() == [("homer simpson",)]
        episodes = connection.execute("SELECT name, season, frame_rate, time_base FROM episode")
        assert episodes.fetchall()[2] == ("Show.s2e1.mkv", 2, "24000/1001", "1/1000")
    assert list(tmp_path.iterdir()) == [path]


def test_a_snapshot_replaces_a_file_only_when_told(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.db"
    path.write_text("mine")
    refused = castline_here(home, "snapshot", "-o", str(path))
    assert refused.returncode == 1
    assert "--force" in one_line(refused.stderr)
    assert path.read_text() == "mine"
    assert castline_here(home, "snapshot", "-o", str(path), "--force").returncode == 0
    assert path.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("output", [".", "folder", "/"])
def test_a_snapshot_does_not_take_the_place_of_a_folder(
    output: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    ended = castline_here(home, "snapshot", "-o", output, "--force")
    assert ended.returncode == 1
    assert f"{output}: is a folder" in one_line(ended.stderr)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_a_snapshot_that_fails_leaves_nothing(database: Database, tmp_path: Path) -> None:
    fill(database)
    with database.read() as connection:
        write_snapshot(connection, tmp_path / "whole.db", {})
        with pytest.raises(DatabaseError, match="cannot be written"):
            write_snapshot(connection, tmp_path, {})
    with closing(sqlite3.connect(tmp_path / "whole.db")) as connection:
        assert connection.execute("SELECT count(*) FROM timeline").fetchone() == (7,)
