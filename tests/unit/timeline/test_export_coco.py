"""COCO exports, read by COCO's own tools."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from exact.place import Place
from tests.rows.export_readers import export_text
from timeline.export.formats import Entry, ExportedTimeline, Sighting

MIDDLE = Place(0.5, 0.4375, 0.25, 0.625)
EDGE = Place(0.0, 0.5, 0.5, 1.0)


def timeline_of(*sightings: Sighting) -> ExportedTimeline:
    """Three seconds in milliseconds from 5 s on, two samples a second, two who are on screen."""
    return ExportedTimeline(
        name="An <odd> pilot.mkv",
        path="/episodes/An <odd> pilot.mkv",
        sha256="a" * 64,
        model="cast@1",
        time_base=Fraction(1, 1000),
        start_pts=5000,
        end_pts=8000,
        frame_rate=Fraction(24),
        rate_varies=False,
        examined=(5000, 8000),
        missing=(),
        entries=[Entry("homer", 5000, 6000, 0.9), Entry("ned", 5500, 7500, 0.8)],
        width=720,
        height=480,
        picture_width=640,
        picture_height=480,
        sampled_pts=range(5000, 8000, 500),
        sightings=sightings,
    )


SIGHTINGS = (
    Sighting(5000, "homer", 0.9, MIDDLE),
    Sighting(5500, "homer", 0.7, MIDDLE),
    Sighting(5500, "ned", 0.95, EDGE),
    Sighting(6000, "ned", 0.85, EDGE),
)


@pytest.fixture
def read(tmp_path: Path) -> COCO:
    return COCO(written(timeline_of(*SIGHTINGS), tmp_path))


def written(timeline: ExportedTimeline, folder: Path) -> Path:
    path = folder / "pilot.coco.json"
    path.write_text(export_text(timeline, "coco"))
    return path


def names(read: COCO, annotations: list[dict[str, Any]]) -> list[str]:
    ids = [annotation["category_id"] for annotation in annotations]
    return [category["name"] for number in ids for category in read.loadCats([number])]


def test_every_sample_is_an_image_with_its_time_and_who_is_on_screen(read: COCO) -> None:
    images = read.loadImgs(read.getImgIds())
    assert [(image["pts"], image["seconds"]) for image in images] == [
        (5000, 0.0),
        (5500, 0.5),
        (6000, 1.0),
        (6500, 1.5),
        (7000, 2.0),
        (7500, 2.5),
    ]
    assert {(image["width"], image["height"]) for image in images} == {(640, 480)}
    assert images[1]["file_name"] == "An <odd> pilot/5500.jpg"
    # ned was not seen at 6500 and 7000, but his appearance goes on
    assert [image["labels"] for image in images] == [
        ["homer"],
        ["homer", "ned"],
        ["ned"],
        ["ned"],
        ["ned"],
        [],
    ]


def test_a_sighting_is_a_box_in_pixels_cut_at_the_edges(read: COCO) -> None:
    assert [category["name"] for category in read.loadCats(read.getCatIds())] == ["homer", "ned"]
    [both] = [image["id"] for image in read.loadImgs(read.getImgIds()) if image["pts"] == 5500]
    found = read.loadAnns(read.getAnnIds(imgIds=[both]))
    assert names(read, found) == ["homer", "ned"]
    assert [(each["bbox"], each["area"], each["score"]) for each in found] == [
        ([240.0, 60.0, 160.0, 300.0], 48000.0, 0.7),
        ([0.0, 0.0, 160.0, 480.0], 76800.0, 0.95),
    ]
    assert len(read.getAnnIds()) == 4


def test_cocos_own_evaluation_finds_the_boxes_where_they_are(read: COCO) -> None:
    boxes = [
        {key: each[key] for key in ("image_id", "category_id", "bbox", "score")}
        for each in read.loadAnns(read.getAnnIds())
    ]
    evaluation = COCOeval(read, read.loadRes(boxes), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1)


def test_a_model_that_tells_no_places_gives_images_without_boxes(tmp_path: Path) -> None:
    timeline = timeline_of(Sighting(5000, "homer", 0.9, None), Sighting(5500, "ned", 0.9, None))
    read = COCO(written(timeline, tmp_path))
    assert not timeline.has_places
    assert len(read.getImgIds()) == 6
    assert read.getAnnIds() == []


def test_a_box_is_of_a_sample_that_was_looked_at(tmp_path: Path) -> None:
    timeline = timeline_of(Sighting(5250, "homer", 0.9, MIDDLE))
    document = json.loads(written(timeline, tmp_path).read_text())
    assert document["annotations"] == []
