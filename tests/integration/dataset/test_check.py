"""Boxes far from where a model sees their label: which are listed, and in what order."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.dataset.build import build_dataset
from model.dataset.plan import BuildOptions
from model.inference.classifier import Classifier
from tests.servers.commands import castline_here, one_line
from tests.stills.models import write_model_by_lot
from tests.video import seen_colours
from tests.video.seen_colours import DOUBTFUL, NAME, SURE

pytestmark = pytest.mark.integration

WIDTH, HEIGHT = 192, 144
RIGHT_PLACE, OTHER_PLACE = (24, 36, 72, 96), (120, 36, 168, 96)

PICTURES = {
    "right": ("apple", SURE, RIGHT_PLACE),
    "wide": ("apple", SURE, (0, 12, 84, 144)),  # a hasty box around it
    "wrong": ("apple", SURE, OTHER_PLACE),
    "right too": ("birch", SURE, RIGHT_PLACE),
    "less sure": ("birch", 150, OTHER_PLACE),
    "not seen": ("birch", DOUBTFUL, OTHER_PLACE),  # 0.41: rather not there
}
"""The label of each picture, how bright its block is at RIGHT_PLACE, and where its box is."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("check")
    write_model_by_lot(home / "models")
    seen_colours.write_colours(home / "models")
    _write_dataset(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Classifier, "load", staticmethod(seen_colours.load_colours))
        yield home


def _write_dataset(home: Path) -> None:
    lot = np.random.default_rng(5)
    rows = []
    for name, (label, brightness, box) in PICTURES.items():
        picture = np.repeat(lot.integers(40, 220, (HEIGHT, WIDTH, 1), dtype=np.uint8), 3, axis=2)
        left, top, right, bottom = RIGHT_PLACE
        picture[top:bottom, left:right] = 0
        picture[top:bottom, left:right, seen_colours.LABELS.index(label)] = brightness
        Image.fromarray(picture).save(home / f"{name}.png")
        shares = np.array(box) / (WIDTH, HEIGHT, WIDTH, HEIGHT)
        rows.append((f"{name}.png", *shares.tolist(), label))
    with (home / "boxes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "left", "top", "right", "bottom", "label"), *rows])
    build_dataset([home / "boxes.csv"], home / "dataset", BuildOptions(split="random", shards=1))


def test_boxes_away_from_where_their_label_is_seen_are_listed_the_surest_first(home: Path) -> None:
    done = castline_here(home, "dataset", "check", home / "dataset", "--model", NAME, "--json")
    found = json.loads(done.stdout)
    assert [Path(each["picture"]).name for each in found] == ["wrong.png", "less sure.png"]
    assert [each["label"] for each in found] == ["apple", "birch"]
    assert found[0]["confidence"] > found[1]["confidence"] > 0.5
    for each in found:
        shares = np.array(OTHER_PLACE) / (WIDTH, HEIGHT, WIDTH, HEIGHT)
        assert each["box"] == pytest.approx(shares.tolist(), abs=1e-6)
        seen = np.array(RIGHT_PLACE) / (WIDTH, HEIGHT, WIDTH, HEIGHT)
        assert each["seen"] == pytest.approx(seen.tolist(), abs=0.02)


def test_the_table_names_pictures_and_places(home: Path) -> None:
    done = castline_here(home, "dataset", "check", home / "dataset", "--model", NAME)
    assert done.returncode == 0
    assert "wrong.png" in done.stdout
    assert "0.62 0.25 0.88 0.67" in done.stdout
    assert "right.png" not in done.stdout


def test_a_model_without_places_is_refused_in_one_line(home: Path) -> None:
    done = castline_here(home, "dataset", "check", home / "dataset", "--model", "by_lot")
    assert done.returncode == 1
    assert "gives no places" in one_line(done.stderr)
