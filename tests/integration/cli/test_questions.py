"""What the reading commands answer about an episode, beside what sqlite3 reads in the database."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from db.records import AppearanceRecord
from tests.rows.ended_runs import place_of
from tests.rows.found import rows_of, table_counts
from tests.rows.records import end_run, made_episode, make_run
from tests.servers.commands import BY_LOT, castline, castline_here, new_home, one_line
from tests.video.clips import write_clip

pytestmark = pytest.mark.integration

APPEARANCE_KEYS = {
    "episode",
    "episode_id",
    "label",
    "start_seconds",
    "end_seconds",
    "start_pts",
    "end_pts",
    "frames",
    "mean_confidence",
    "max_confidence",
    "is_corrected",
    "place",
}
EPISODE_KEYS = {
    "episode",
    "episode_id",
    "series",
    "season",
    "number",
    "title",
    "sha256",
    "path",
    "duration_seconds",
    "width",
    "height",
    "frame_rate",
    "added_at",
    "model",
    "labels",
}
RUN_KEYS = {
    "run",
    "episode",
    "episode_id",
    "model",
    "state",
    "is_current",
    "is_at_work",
    "lacks",
    "chunks_done",
    "chunks_total",
    "frames",
    "frames_decoded",
    "seconds",
    "bottleneck",
    "batch_fill",
    "decode_errors",
    "examined_seconds",
    "missing_seconds",
    "error",
    "queued_at",
    "started_at",
    "ended_at",
    "quarantined",
}


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made episode of 20 s."""
    return write_clip(tmp_path_factory.mktemp("episodes") / "pilot.mp4", seconds=20)


@pytest.fixture(scope="module")
def home(episode: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the episode was enqueued, cancelled, offered again and worked on."""
    home = new_home(tmp_path_factory.mktemp("answers") / "home")
    assert castline(home, "enqueue", episode, *BY_LOT, chunk_seconds=5).returncode == 0
    assert castline_here(home, "cancel", "1").returncode == 0
    assert castline_here(home, "retry", "1").returncode == 0
    ended = castline(home, "worker", "--until-idle")
    assert ended.returncode == 0, ended.stderr
    return home


def answer(home: Path, *arguments: str) -> Any:
    ended = castline_here(home, *arguments, "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    return json.loads(ended.stdout)


def stored_appearances(home: Path) -> list[tuple[str, float, float]]:
    with rows_of(home) as connection:
        query = "SELECT label, start_seconds, end_seconds FROM appearance ORDER BY start_pts, label"
        return [tuple(row) for row in connection.execute(query)]


def test_episodes_lists_what_was_tagged(home: Path, episode: Path) -> None:
    [found] = answer(home, "episodes")
    assert found.keys() == EPISODE_KEYS
    assert found["episode"] == "pilot.mp4"
    assert found["path"] == str(episode.resolve())
    assert found["duration_seconds"] == pytest.approx(20)
    assert (found["width"], found["height"], found["frame_rate"]) == (192, 144, "12")
    assert found["model"] == "by_lot@1"
    assert found["labels"] == len({label for label, _, _ in stored_appearances(home)})
    digest = subprocess.run(["sha256sum", episode], capture_output=True, text=True, check=True)
    assert found["sha256"] == digest.stdout.split()[0]


def test_who_lists_every_stored_appearance_by_time(home: Path) -> None:
    found = answer(home, "who", "pilot")
    assert all(item.keys() == APPEARANCE_KEYS for item in found)
    shown = [(item["label"], item["start_seconds"], item["end_seconds"]) for item in found]
    assert shown == stored_appearances(home)


@pytest.fixture(scope="module")
def placed(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same home as a network that tells places leaves it: x grows with the time."""
    placed = tmp_path_factory.mktemp("placed") / "home"
    shutil.copytree(home, placed)
    with rows_of(placed) as connection:
        connection.execute(
            "UPDATE tag SET place_x = round(seconds / 20, 4), place_y = 0.5, place_width = 0.25,"
            " place_height = 0.625"
        )
        connection.commit()
    return placed


def where_seen(home: Path, label: str, start: float, end: float) -> list[tuple[float, float]]:
    """Confidence and time of the tags of a label in a range."""
    with rows_of(home) as connection:
        query = (
            "SELECT confidence, seconds FROM tag WHERE label = ? AND seconds >= ? AND seconds < ?"
        )
        return [tuple(row) for row in connection.execute(query, (label, start, end))]


def test_who_tells_where_each_was_seen_most_surely(placed: Path) -> None:
    found = answer(placed, "who", "pilot")
    assert found
    for item in found:
        seen = where_seen(placed, item["label"], item["start_seconds"], item["end_seconds"])
        surest = max(confidence for confidence, _ in seen)
        seconds = min(each for confidence, each in seen if confidence == surest)
        assert item["place"] == {
            "x": pytest.approx(seconds / 20, abs=1e-4),
            "y": 0.5,
            "width": 0.25,
            "height": 0.625,
        }
        [first] = [
            each
            for each in answer(placed, "first", item["label"])
            if each["label"] == item["label"]
        ]
        assert first["place"] is not None


def test_who_at_a_time_tells_where_each_is_then(placed: Path) -> None:
    found = answer(placed, "who", "pilot", "--at", "7.7")
    assert found
    for item in found:
        seen = where_seen(placed, item["label"], item["start_seconds"], 7.7)
        latest = max(seconds for _, seconds in seen)
        assert item["place"]["x"] == pytest.approx(latest / 20, abs=1e-4)


def test_of_a_network_that_tells_no_places_none_is_told(home: Path) -> None:
    assert {item["place"] for item in answer(home, "who", "pilot")} == {None}
    assert {item["place"] for item in answer(home, "who", "pilot", "--at", "7.7")} == {None}


@pytest.mark.parametrize(
    ("written", "at_seconds"), [("7.5", 7.5), ("0:12", 12), ("00:00:03.250", 3.25)]
)
def test_who_at_a_time_lists_those_whose_half_open_range_holds_it(
    written: str, at_seconds: float, home: Path
) -> None:
    expected = [
        label for label, start, end in stored_appearances(home) if start <= at_seconds < end
    ]
    assert [item["label"] for item in answer(home, "who", "pilot", "--at", written)] == expected


def test_who_at_the_end_of_an_appearance_does_not_list_it(home: Path) -> None:
    label, start, end = stored_appearances(home)[0]
    at_start = answer(home, "who", "pilot", "--at", repr(start))
    at_end = answer(home, "who", "pilot", "--at", repr(end))
    assert (label, start) in [(item["label"], item["start_seconds"]) for item in at_start]
    assert (label, start) not in [(item["label"], item["start_seconds"]) for item in at_end]


@pytest.fixture(scope="module")
def rounded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with appearances of frames at 24000/1001, whose times no millisecond is."""
    home = tmp_path_factory.mktemp("rounded")
    time_base = Fraction(1, 24000)
    # in frames: 12 and 36 lie halfway between two milliseconds, at 0.5005 and 1.5015 s
    frames = {"birch": (12, 36), "cedar": (36, 50), "apple": (2409, 2517)}
    with place_of(home) as place:
        episode = replace(made_episode(), time_base=time_base, end_pts=6 * 60 * 24000)
        run_id = make_run(place.database, episode)
        end_run(
            place.database,
            run_id,
            [
                AppearanceRecord(
                    label,
                    start * 1001,
                    end * 1001,
                    float(start * 1001 * time_base),
                    float(end * 1001 * time_base),
                    frames=end - start,
                    mean_confidence=0.8,
                    max_confidence=0.9,
                )
                for label, (start, end) in frames.items()
            ],
        )
    return home


def test_times_that_the_table_shows_are_compared_as_it_shows_them(rounded: Path) -> None:
    def labels(*arguments: str) -> list[str]:
        return [item["label"] for item in answer(rounded, "who", "pilot", *arguments)]

    printed = castline_here(rounded, "who", "pilot").stdout.splitlines()[1:]
    rows = [(label, start, end) for start, end, label, _ in map(str.split, printed)]
    assert [label for label, _, _ in rows] == ["birch", "cedar", "apple"]
    for label, start, end in rows:
        assert label in labels("--at", start)
        assert label not in labels("--at", end)
        assert label in labels("--from", start)
        assert label not in labels("--from", end)
        assert label in labels("--to", end)
        assert label not in labels("--to", start)
        assert labels("--from", start, "--to", end) == [label]


def test_when_lists_one_label_and_leaves_short_appearances_out(home: Path) -> None:
    label = stored_appearances(home)[0][0]
    lengths = [end - start for name, start, end in stored_appearances(home) if name == label]
    assert len(answer(home, "when", label)) == len(lengths)
    long = answer(home, "when", label, "--min-seconds", "3", "--episode", "pilot")
    assert len(long) == sum(length >= 3 for length in lengths)


def test_screen_time_adds_the_appearances_up(home: Path) -> None:
    found = answer(home, "screen-time")
    expected: dict[str, list[float]] = {}
    for label, start, end in stored_appearances(home):
        expected.setdefault(label, []).append(end - start)
    assert all(item.keys() == {"label", "seconds", "appearances", "episodes"} for item in found)
    assert {item["label"]: item["appearances"] for item in found} == {
        label: len(lengths) for label, lengths in expected.items()
    }
    for item in found:
        assert item["seconds"] == pytest.approx(sum(expected[item["label"]]))
    assert found == sorted(found, key=lambda item: -item["seconds"])


def test_status_tells_how_the_run_went(home: Path) -> None:
    [found] = answer(home, "status")
    assert found.keys() == RUN_KEYS
    assert (found["state"], found["is_current"]) == ("done", True)
    assert found["frames"] == 40  # 20 s, two looks a second, and every frame differs
    assert found["chunks_done"] == found["chunks_total"]
    assert (found["missing_seconds"], found["quarantined"], found["error"]) == ([], [], None)


@pytest.mark.parametrize(
    "command", [("episodes",), ("who", "pilot"), ("screen-time",), ("status",)]
)
def test_tables_go_to_stdout_alone(command: tuple[str, ...], home: Path) -> None:
    ended = castline_here(home, *command)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) >= 2
    assert "\x1b" not in ended.stdout  # no colours where there is no terminal


MISTAKES = {
    "episode by almost its name": (("who", "pliot.mp4"), "pliot.mp4", "pilot.mp4"),
    "label by almost its name": (("when", "cedra"), "cedra", "cedar"),
    "label of another show": (("when", "zebra"), "zebra", "apple"),
    "time in words": (("who", "pilot", "--at", "noon"), "noon", "MM:SS"),
    "time of 400 digits": (("who", "pilot", "--at", "9" * 400), "9" * 400, "MM:SS"),
    "time with 61 seconds": (("who", "pilot", "--at", "1:61"), "1:61", "MM:SS"),
    "picture of an unknown kind": (("plot", "pilot", "-o", "picture.docx"), "picture.docx", ".svg"),
    "picture into nowhere": (("plot", "pilot", "-o", "/nowhere/p.svg"), "/nowhere/p.svg", "folder"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_named_in_one_line_with_a_suggestion(case: str, home: Path) -> None:
    arguments, names, suggests = MISTAKES[case]
    ended = castline_here(home, *arguments)
    line = one_line(ended.stderr)
    assert ended.returncode == 1
    assert names in line
    assert suggests in line


def test_a_label_may_be_named_by_a_part_or_in_other_writing(home: Path) -> None:
    assert answer(home, "when", "Fig Tree") == answer(home, "when", "fig_tree")
    assert answer(home, "when", "eda") == answer(home, "when", "cedar")


def test_tagging_again_answers_at_once_without_tensorflow(home: Path, episode: Path) -> None:
    code = (
        "import sys; from cli.main import main\n"
        "try: main()\n"
        "finally: print('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    before = table_counts(home, "episode", "run", "chunk", "tag", "appearance")
    log = home / "classify.log"
    written_before = log.stat().st_mtime_ns
    ended = subprocess.run(
        [sys.executable, "-c", code, "--home", home, "tag", episode, *BY_LOT, "--json"],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "False"
    assert log.stat().st_mtime_ns == written_before, "no classify process was started"
    assert table_counts(home, *before) == before


def test_the_same_content_under_another_name_is_the_same_episode_and_run(
    home: Path, episode: Path, tmp_path: Path
) -> None:
    before = table_counts(home, "episode", "run", "chunk", "tag", "appearance")
    copy = tmp_path / "a copy of it.mp4"
    shutil.copy(episode, copy)
    ended = castline_here(home, "tag", copy, *BY_LOT, "--json")
    assert ended.returncode == 0
    assert [item["run"] for item in json.loads(ended.stdout)] == [1]
    assert table_counts(home, *before) == before
    # Named by its copy's path, it is still found.
    assert castline_here(home, "who", str(copy)).returncode == 0


def test_a_run_is_cancelled_and_tried_again(episode: Path, tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    assert castline_here(home, "enqueue", episode, *BY_LOT).returncode == 0
    assert one_line(castline_here(home, "cancel", "1").stderr) == "Run 1 is cancelled."
    [cancelled] = answer(home, "status")
    assert cancelled["state"] == "cancelled"
    assert "ended already" in one_line(castline_here(home, "cancel", "1").stderr)
    asked = castline_here(home, "who", "pilot")
    assert asked.returncode == 1
    assert "castline tag" in one_line(asked.stderr)
    assert "offered again" in one_line(castline_here(home, "retry", "1").stderr)
    [offered] = answer(home, "status")
    assert (offered["state"], offered["ended_at"]) == ("queued", None)


def test_plot_draws_a_png_and_an_svg(home: Path, tmp_path: Path) -> None:
    for name in ("timeline.png", "timeline.svg"):
        assert castline_here(home, "plot", "pilot", "-o", str(tmp_path / name)).returncode == 0
    with Image.open(tmp_path / "timeline.png") as picture:
        colours = np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)
        assert picture.width > 800
    assert len(colours) > 20
    assert ET.parse(tmp_path / "timeline.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_doctor_finds_a_fresh_installation_well(tmp_path: Path) -> None:
    ended = castline(tmp_path / "home", "doctor")
    assert ended.returncode == 0, ended.stdout
    subjects = [line.split()[:2] for line in ended.stdout.splitlines()]
    checks = ("packages", "home", "database", "workers", "frames", "decoder", "model", "gpu")
    assert subjects == [["ok", f"{name}:"] for name in checks]
    assert "not made yet" in ended.stdout
    made = [path.name for path in (tmp_path / "home").rglob("*")]
    assert made == ["frames"], "to look makes no database"


def test_db_upgrade_is_done_once(tmp_path: Path) -> None:
    assert "upgraded" in one_line(castline_here(tmp_path / "home", "db", "upgrade").stderr)
    assert "up to date" in one_line(castline_here(tmp_path / "home", "db", "upgrade").stderr)
