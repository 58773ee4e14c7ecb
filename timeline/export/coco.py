"""COCO's format of object detections: the sampled frames, each with a box per label on screen.

The format is defined at https://cocodataset.org/#format-data; `pts`, `seconds` and `labels` of an
image and `score` of an annotation are additional fields, which readers ignore.
"""

import json
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from timeline.export.formats import ExportedTimeline, Sighting

PIXEL_DIGITS = 2
"""Decimals of boxes: as fine as the four decimals of a place are in a picture 100 pixels wide."""


def coco_text(timeline: ExportedTimeline) -> str:
    """Write an image per sample, and an annotation for each label on screen with a known place."""
    labels = sorted({entry.label for entry in timeline.entries})
    category_ids = {label: number for number, label in enumerate(labels, 1)}
    image_ids = {pts: number for number, pts in enumerate(timeline.sampled_pts, 1)}
    document = {
        "info": {
            "description": f"{timeline.name}: who was seen where, by {timeline.model}",
            "episode_sha256": timeline.sha256,
            "model": timeline.model,
            "time_base": str(timeline.time_base),
        },
        "licenses": [],
        "categories": [
            {"id": number, "name": label, "supercategory": "character"}
            for label, number in category_ids.items()
        ],
        "images": list(_images(timeline, image_ids)),
        "annotations": [
            {
                "id": number,
                "image_id": image_ids[sighting.pts],
                "category_id": category_ids[sighting.label],
                **_box(timeline, sighting),
                "iscrowd": 0,
                "score": sighting.confidence,
            }
            for number, sighting in enumerate(_placed(timeline, image_ids), 1)
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _images(timeline: ExportedTimeline, image_ids: dict[int, int]) -> Iterator[dict[str, Any]]:
    labels = _labels_on_screen(timeline)
    for pts, number in image_ids.items():
        yield {
            "id": number,
            "file_name": f"{timeline.stem}/{pts}.jpg",
            "width": timeline.picture_width,
            "height": timeline.picture_height,
            "pts": pts,
            "seconds": float(timeline.seconds(pts)),
            "labels": sorted(labels.get(pts, ())),
        }


def _labels_on_screen(timeline: ExportedTimeline) -> dict[int, set[str]]:
    """Return the labels on screen by sample, including labels seen only before and after it."""
    found: dict[int, set[str]] = {}
    for entry in timeline.entries:
        first = bisect_left(timeline.sampled_pts, entry.start_pts)
        for pts in timeline.sampled_pts[first : bisect_left(timeline.sampled_pts, entry.end_pts)]:
            found.setdefault(pts, set()).add(entry.label)
    return found


def _placed(timeline: ExportedTimeline, image_ids: dict[int, int]) -> Iterator[Sighting]:
    for sighting in timeline.sightings:
        if sighting.place is not None and sighting.pts in image_ids:
            yield sighting


def _box(timeline: ExportedTimeline, sighting: Sighting) -> dict[str, Any]:
    """Return a box in pixels of the active picture, from its upper left corner."""
    assert sighting.place is not None
    width, height = timeline.picture_width, timeline.picture_height
    left, top, right, bottom = sighting.place.box
    box = (left * width, top * height, (right - left) * width, (bottom - top) * height)
    x, y, across, down = (round(each, PIXEL_DIGITS) for each in box)
    return {"bbox": [x, y, across, down], "area": round(across * down, PIXEL_DIGITS)}
