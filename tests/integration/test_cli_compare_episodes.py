"""`castline models compare A B --episodes`: what changes between two models' runs."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ingest.decoder import Decoder
from tests.clips import write_clip
from tests.commands import castline_here, one_line
from tests.ended_runs import ended_run, place_of
from tests.models import write_model_by_lot

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


def test_the_picture_is_of_the_middle_of_its_range(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    arguments = ("compare", "first", "second", "--episodes", "pilot", "--html", file)
    assert castline_here(home, "models", *arguments).returncode == 0
    # apple gains 8 to 10: its picture comes first, of second 9
    shown = np.asarray(picture(next(iter(re.findall('src="([^"]+)"', file.read_text("utf-8"))))))
    import cv2

    capture = cv2.VideoCapture(str(home / "pilot <1>.mp4"))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 9 * 12)
    _, frame = capture.read()
    difference = np.abs(shown.astype(int) - cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(int))
    assert difference.mean() < 6


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
