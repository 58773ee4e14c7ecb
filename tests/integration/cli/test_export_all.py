"""All episodes in one file, joined and short ranges, and SQL as CSV."""

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pyarrow import parquet

from db.engine import Database
from db.episode_names import EpisodeName
from db.records import AppearanceRecord
from db.upgrade import upgrade_database
from tests.rows.export_readers import read_graph
from tests.rows.records import end_run, episode_named, made_episode, make_run
from tests.servers.commands import castline_here, one_line
from timeline.scoring.truth import read_truth
from worker.settings import Settings

pytestmark = pytest.mark.integration


def seen(label: str, start: int, end: int) -> AppearanceRecord:
    """An appearance from one second to another."""
    return AppearanceRecord(label, start * 1000, end * 1000, start, end, 2, 0.8, 0.9)


EPISODES = {
    "Show S01E01.mkv": [
        seen("homer_simpson", 1, 5),
        seen("ned_flanders", 2, 4),
        seen("ned_flanders", 5, 9),
        seen("homer_simpson", 20, 21),
    ],
    "Show S02E01.mkv": [seen("ned_flanders", 3, 8), seen("homer_simpson", 6, 10)],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with those two, and one that was never tagged to the end."""
    home = tmp_path_factory.mktemp("all")
    database = Database(Settings.from_environment(home, {}).database_url)
    upgrade_database(database)
    for name, appearances in EPISODES.items():
        end_run(database, make_run(database, episode_named(name)), appearances)
    make_run(database, episode_named("queued.mkv"))
    database.dispose()
    return home


def test_all_episodes_are_exported_into_one_file_each(home: Path, tmp_path: Path) -> None:
    formats = ("-f", "json,csv", "-f", "parquet", "-f", "rttm,iiif,graphml")
    ended = castline_here(home, "export", "--all", *formats, "-o", tmp_path / "new")
    assert ended.returncode == 0, ended.stderr
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        f"episodes{suffix}"
        for suffix in (".csv", ".graphml", ".iiif.json", ".json", ".parquet", ".rttm")
    ]
    assert ended.stderr.splitlines()[-1].endswith("to the end: queued.mkv")
    with (tmp_path / "new/episodes.csv").open(newline="") as lines:
        rows = [(row["episode"], row["season"], row["label"]) for row in csv.DictReader(lines)]
    assert rows == [
        (name, name[7], each.label)
        for name, appearances in EPISODES.items()
        for each in appearances
    ]
    listed = json.loads((tmp_path / "new/episodes.json").read_text())
    assert [each["episode"] for each in listed] == [*EPISODES]
    told = read_truth(tmp_path / "new/episodes.rttm", "Show S02E01.mkv")
    assert [float(each.start_seconds) for each in told] == [3, 6]


def test_the_graph_tells_what_together_tells(home: Path, tmp_path: Path) -> None:
    assert castline_here(home, "export", "--all", "-f", "graphml", "-o", tmp_path).returncode == 0
    [(one, other, told)] = read_graph(tmp_path / "episodes.graphml").edges(data=True)
    [pair] = json.loads(castline_here(home, "together", "--json").stdout)
    assert {"label": one, "other": other, **told} == pair


def test_a_whole_library_can_be_scored_by_its_own_table(home: Path, tmp_path: Path) -> None:
    assert castline_here(home, "export", "--all", "-f", "csv", "-o", tmp_path).returncode == 0
    for name in EPISODES:
        ended = castline_here(home, "evaluate", name, tmp_path / "episodes.csv", "--json")
        assert json.loads(ended.stdout)["f1"] == 1.0


def test_gaps_are_filled_and_short_ranges_left_out(home: Path, tmp_path: Path) -> None:
    options = ("-f", "json", "--gap", "1", "--min-seconds", "4.5", "-o", tmp_path)
    assert castline_here(home, "export", "S01E01", *options).returncode == 0
    document = json.loads((tmp_path / "Show S01E01.json").read_text())
    [ned] = document["ranges"]
    assert (ned["label"], ned["start_seconds"], ned["end_seconds"]) == ("ned_flanders", 2, 9)
    assert ned["confidence"] is None
    # As `when` joins them.
    asked = ("when", "ned", "--gap", "1", "--min-seconds", "4.5", "--episode", "S01E01", "--json")
    [when] = json.loads(castline_here(home, *asked).stdout)
    assert (when["start_seconds"], when["end_seconds"]) == (2, 9)


def test_chapters_last_at_least_so_long(home: Path, tmp_path: Path) -> None:
    options = ("-f", "chapters", "--chapter-seconds", "60", "-o", tmp_path)
    assert castline_here(home, "export", "S02E01", *options).returncode == 0
    text = (tmp_path / "Show S02E01.chapters.txt").read_text()
    assert text.count("[CHAPTER]") == 1
    assert "title=ned_flanders" not in text
    assert "title=ned flanders, homer simpson" in text


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of two shows whose files have one name, and a second season of one of them."""
    home = tmp_path_factory.mktemp("twins")
    database = Database(Settings.from_environment(home, {}).database_url)
    upgrade_database(database)
    for number, path in enumerate(("A/S01E01.mkv", "B/S01E01.mkv", "B/S02E07.mkv"), 1):
        episode = replace(
            made_episode(f"{number:064d}", Path(path).name),
            uri=f"/shows/{path}",
            called=EpisodeName.told_by(f"/shows/{path}"),
        )
        end_run(database, make_run(database, episode), [seen("ned_flanders", number, 9)])
    database.dispose()
    return home


def test_twins_are_exported_into_files_of_their_own(twins: Path, tmp_path: Path) -> None:
    for name in ("A/S01E01", "B/S01E01"):
        ended = castline_here(twins, "export", name, "-f", "csv,coco", "-o", tmp_path)
        assert ended.returncode == 0, ended.stderr
    starts = {}
    for path in tmp_path.glob("*.csv"):
        [row] = csv.DictReader(path.read_text("utf-8").splitlines())
        starts[path.name] = row["episode"], row["series"], float(row["start_seconds"])
    assert starts == {
        "A-S01E01.csv": ("A/S01E01.mkv", "A", 1),
        "B-S01E01.csv": ("B/S01E01.mkv", "B", 2),
    }
    pictures = [
        json.loads(path.read_text("utf-8"))["images"] for path in tmp_path.glob("*.coco.json")
    ]
    assert len(pictures) == 2


@pytest.mark.parametrize("suffix", ["csv", "rttm"])
def test_a_table_of_twins_scores_each_by_its_own_rows(
    twins: Path, tmp_path: Path, suffix: str
) -> None:
    assert castline_here(twins, "export", "--all", "-f", suffix, "-o", tmp_path).returncode == 0
    for name in ("A/S01E01", "B/S01E01"):
        ended = castline_here(twins, "evaluate", name, tmp_path / f"episodes.{suffix}", "--json")
        assert json.loads(ended.stdout)["f1"] == 1.0, name


EXPORTED = {
    "a series": (("--series", "b"), [("B", 1, 1), ("B", 2, 7)]),
    "a season of every series": (("--season", "1"), [("A", 1, 1), ("B", 1, 1)]),
    "a season of a series": (("--series", "B", "--season", "2"), [("B", 2, 7)]),
}


@pytest.mark.parametrize("case", EXPORTED)
def test_a_series_or_a_season_is_exported(case: str, twins: Path, tmp_path: Path) -> None:
    options, expected = EXPORTED[case]
    ended = castline_here(twins, "export", "--all", *options, "-f", "csv,parquet", "-o", tmp_path)
    assert ended.returncode == 0, ended.stderr
    rows = [*csv.DictReader((tmp_path / "episodes.csv").read_text("utf-8").splitlines())]
    names = [(row["series"], int(row["season"]), int(row["number"])) for row in rows]
    assert names == expected
    table = parquet.read_table(tmp_path / "episodes.parquet")
    told = table.select(["series", "season", "number"]).to_pylist()
    assert [tuple(row.values()) for row in told] == expected


REFUSED = {
    "a season of one": (("S01E01", "-f", "csv", "--season", "1"), 1, "give --all"),
    "a season that is not there": (
        ("--all", "-f", "csv", "--season", "9"),
        1,
        "no episode of it was tagged",
    ),
    "a format of one episode": (("--all", "-f", "csv,srt"), 1, "srt tells of one episode"),
    "clips of all": (("--all", "-f", "clips"), 1, "clips tells of one episode"),
    "a run of all": (("--all", "-f", "csv", "--run", "1"), 1, "a run is of one episode"),
    "both": (("S01E01", "--all", "-f", "csv"), 2, "give one of EPISODE and --all"),
    "neither": (("-f", "csv"), 2, "give one of EPISODE and --all"),
    "no time": (("S01E01", "-f", "csv", "--gap", "soon"), 1, "'soon' is not a time"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_writes_nothing(case: str, home: Path, tmp_path: Path) -> None:
    arguments, code, message = REFUSED[case]
    ended = castline_here(home, "export", *arguments, "-o", tmp_path / "new")
    assert ended.returncode == code
    assert message in " ".join(ended.stderr.split())
    assert not (tmp_path / "new").exists()


def test_parquet_says_which_extra_it_needs(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for episode in ("S01E01", "--all"):
        ended = castline_here(home, "export", episode, "-f", "csv,parquet", "-o", tmp_path / "new")
        assert ended.returncode == 1
        assert "parquet needs more; install castline[parquet]" in one_line(ended.stderr)
        assert not (tmp_path / "new").exists()


def test_sql_is_answered_as_csv(home: Path) -> None:
    statement = (
        "SELECT name AS \"a,b\", season, NULL AS gone, '=1+1' AS text, -1 AS less, x'00ff' AS b"
        " FROM episode WHERE season > 0 ORDER BY name"
    )
    ended = castline_here(home, "sql", statement, "--csv")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [*csv.reader(ended.stdout.splitlines())] == [
        ["a,b", "season", "gone", "text", "less", "b"],
        ["Show S01E01.mkv", "1", "", "'=1+1", "-1", "00ff"],
        ["Show S02E01.mkv", "2", "", "'=1+1", "-1", "00ff"],
    ]
    ended = castline_here(home, "sql", "SELECT char(27) || '[31m' AS red", "--csv")
    assert ended.stdout == "red\n\\x1b[31m\n"
    ended = castline_here(home, "sql", "SELECT 1", "--csv", "--json")
    assert ended.returncode == 2
