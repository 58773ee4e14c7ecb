"""`castline models compare A B --episodes`: what changes between two models' runs."""

import base64
import io
import json
import re
import shutil
import sqlite3
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from ingest.decoder.parent import Decoder
from ingest.storage.frame_store import read_jpeg
from tests.rows.ended_runs import ended_run, place_of
from tests.rows.found import rows_of
from tests.servers.commands import castline_here, one_line
from tests.stills.models import write_model_by_lot
from tests.video.clips import write_clip

pytestmark = pytest.mark.integration

FOUND = {
    "first": {"apple": [(2, 8)], "birch": [(0, 3)]},
    "second": {"apple": [(4, 10)], "cedar": [(1, 3), (5, 6)]},
}
"""Seconds in which each model sees each label."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip with stored frames and a run of each of two models that found what FOUND says."""
    home = tmp_path_factory.mktemp("compared") / "home"
    with place_of(home) as place, Decoder() as decoder:
        clip = write_clip(home / "pilot <1>.mp4", seconds=12)
        for lot, (name, labels) in enumerate(FOUND.items()):
            version = write_model_by_lot(place.settings.models_folder, name, lot=lot)
            ended_run(place, decoder, clip, version, labels)
    return home


def test_seconds_and_ranges_are_told_per_character(home: Path) -> None:
    ended = castline_here(
        home, "models", "compare", "first", "second", "--episodes", "pilot", "--json"
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert (found["first"], found["second"]) == ("first@1", "second@1")
    [episode] = found["episodes"]
    ranges = {
        item["label"]: (item["gained"], item["lost"], item["unchanged"])
        for item in episode["labels"]
    }
    assert ranges == {
        "apple": ([[8.0, 10.0]], [[2.0, 4.0]], [[4.0, 8.0]]),
        "birch": ([], [[0.0, 3.0]], []),
        "cedar": ([[1.0, 3.0], [5.0, 6.0]], [], []),
    }
    seconds = {
        item["label"]: [item[f"{kind}_seconds"] for kind in ("gained", "lost", "unchanged")]
        for item in found["labels"]
    }
    assert seconds == {"apple": [2, 2, 4], "birch": [0, 3, 0], "cedar": [3, 0, 0]}
    table = castline_here(home, "models", "compare", "first", "second", "--episodes", "pilot")
    assert "00:08-00:10" in table.stdout


class Page(HTMLParser):
    """What a page holds: its tags with their attributes, and its text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_holds_a_picture_of_each_change_and_nothing_from_elsewhere(
    home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    arguments = ("compare", "first", "second", "--episodes", "pilot", "--html", file)
    assert castline_here(home, "models", *arguments).returncode == 0
    page = Page(file.read_text("utf-8"))
    assert "pilot <1>.mp4" in page.text
    sources = [str(attrs["src"]) for tag, attrs in page.tags if "src" in attrs]
    assert len(sources) == 5, "apple gained and lost, birch, cedar twice"
    pictures = [picture(source) for source in sources]
    assert {image.size for image in pictures} == {(192, 144)}
    # each is the frame of its moment, as the store has it
    assert len({image.tobytes() for image in pictures}) == 5
    assert not re.search(r"https?:|<link|<script|url\(", file.read_text("utf-8"))


def picture(source: str) -> Image.Image:
    kind, _, data = source.partition(",")
    assert kind == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_no_lock_is_held_while_pictures_are_read(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures: list[Path] = []

    def read(path: Path, pts: int) -> bytes:
        pictures.append(path)
        with closing(sqlite3.connect(home / "castline.db", timeout=0)) as other:
            other.execute("BEGIN EXCLUSIVE")
            other.rollback()
        return read_jpeg(path, pts)

    monkeypatch.setattr("castline.asking.thumbnails.read_jpeg", read)
    file = tmp_path / "page.html"
    arguments = ("compare", "first", "second", "--episodes", "pilot", "--html", file)
    assert castline_here(home, "models", *arguments).returncode == 0
    assert pictures


def test_the_picture_is_of_the_middle_of_its_range(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    arguments = ("compare", "first", "second", "--episodes", "pilot", "--html", file)
    assert castline_here(home, "models", *arguments).returncode == 0
    # apple gains 8 to 10: its picture comes first, of second 9
    shown = picture(next(iter(re.findall('src="([^"]+)"', file.read_text("utf-8")))))
    assert_shows(shown, home, 9, (0, 0, 192, 144))


SEEN = {
    ("first", 3): (0.9, (0.9, 0.1, 0.05, 0.05)),
    ("second", 3): (0.1, (0.5, 0.5, 0.5, 0.5)),
    ("second", 9): (0.9, (0.25, 0.5, 0.25, 0.5)),
}
"""Confidence and place of apple, by model and second."""


def test_the_picture_shows_who_is_there_where_a_model_told_it(home: Path, tmp_path: Path) -> None:
    told = tmp_path / "home"
    shutil.copytree(home, told)
    with rows_of(told) as connection:
        for (name, second), (confidence, place) in SEEN.items():
            [run_id, pts] = connection.execute(
                "SELECT run.id, value FROM run JOIN model_version ON model_version.name = ?"
                " AND model_version.id = model_version_id JOIN chunk ON run_id = run.id,"
                " json_each(sampled_pts) JOIN episode ON episode.id = episode_id"
                " WHERE value * time_base_num = ? * time_base_den",
                (name, second),
            ).fetchone()
            connection.execute(
                "INSERT INTO tag VALUES (?, ?, 'apple', 'full', ?, ?, ?, ?, ?, ?)",
                (run_id, pts, confidence, second, *place),
            )
        connection.commit()
    file = tmp_path / "page.html"
    arguments = ("compare", "first", "second", "--episodes", "pilot", "--html", file)
    assert castline_here(told, "models", *arguments).returncode == 0
    gained, lost, *others = map(picture, re.findall('src="([^"]+)"', file.read_text("utf-8")))
    # Twice as wide and high as the place, moved into the picture; and 0.4 of it at least.
    assert_shows(gained, home, 9, (0, 0, 96, 144))
    assert_shows(lost, home, 3, (115, 0, 192, 58))
    assert {image.size for image in others} == {(192, 144)}


def assert_shows(
    image: Image.Image, home: Path, second: int, box: tuple[int, int, int, int]
) -> None:
    """It is that part of the episode's picture."""
    capture = cv2.VideoCapture(str(home / "pilot <1>.mp4"))
    capture.set(cv2.CAP_PROP_POS_FRAMES, second * 12)
    _, frame = capture.read()
    left, top, right, bottom = box
    assert image.size == (right - left, bottom - top)
    expected = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)[top:bottom, left:right]
    assert np.abs(np.asarray(image).astype(int) - expected.astype(int)).mean() < 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody", "second", "--episodes", "pilot"), "nobody: never ran here"),
        (("first", "second", "--episodes", "nowhere"), "nowhere: no such episode"),
    ],
)
def test_what_is_not_there_is_refused(arguments: Any, words: str, home: Path) -> None:
    ended = castline_here(home, "models", "compare", *arguments)
    assert ended.returncode == 1
    assert words in one_line(ended.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ("dataset", "--html", "page.html"),
        ("--episodes", "pilot", "--part", "train"),
        ("--episodes", "pilot", "--device", "cpu"),
    ],
    ids=" ".join,
)
def test_an_option_that_would_do_nothing_is_refused(
    arguments: tuple[str, ...], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = castline_here(home, "models", "compare", "first", "second", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert arguments[-2] in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_or_episodes_must_be_given(home: Path) -> None:
    ended = castline_here(home, "models", "compare", "first", "second")
    assert ended.returncode == 2
