"""Boxes as Label Studio exports them, as JSON or JSON-MIN; corners in percent.

    [{"data": {"image": "/data/upload/1/0a1b2c3d-a.jpg"}, "annotations": [{"result": [
        {"type": "rectanglelabels", "value": {"x": 10, "y": 20, "width": 30, "height": 40,
         "rotation": 0, "rectanglelabels": ["Ned Flanders"]}}]}]}]

A picture is looked for by its own name, with and without the eight digits that an upload adds.
"""

import re
from typing import Any, Final
from urllib.parse import unquote

from model.stills.annotations.entries import Entries, Entry, check_upright, corners_of_sides
from model.stills.annotations.json_text import objects, text_of

_LABELS: Final = "rectanglelabels"
_UPLOAD: Final = re.compile(r"[0-9a-f]{8}-")
_PERCENT: Final = (100.0, 100.0)


def is_label_studio(content: Any) -> bool:
    """Tell whether parsed JSON has this format."""
    tasks = objects(content)
    return bool(tasks) and all("data" in task or _minimal_boxes(task) for task in tasks)


def label_studio_entries(content: Any) -> Entries:
    """Yield the boxes, and the pictures that were annotated without any."""
    for number, task in enumerate(objects(content), 1):
        where = f"task {task.get('id', number)}"[:60]
        names = _names(task.get("data", task))
        if not names:
            yield Entry("", where, fault="names no picture")
            continue
        boxes = _boxes(task)
        if not boxes:
            yield Entry(names[0], where, other_names=names[1:])
        for box in boxes:
            yield _entry(names, where, box)


def _boxes(task: dict[str, Any]) -> list[Any]:
    if "data" not in task:
        return _minimal_boxes(task)
    # skipped annotations are cancelled; all annotators count
    taken = [item for item in objects(task.get("annotations")) if not item.get("was_cancelled")]
    results = [result for item in taken for result in objects(item.get("result"))]
    return [result.get("value") for result in results if result.get("type") == _LABELS]


def _minimal_boxes(task: dict[str, Any]) -> list[Any]:
    return [box for value in task.values() for box in objects(value) if _LABELS in box]


def _names(data: Any) -> tuple[str, ...]:
    """Return possible names of a task's picture beside the file, most likely first.

    The file names it by an address: `/data/upload/...`, `/data/local-files/?d=...`, `s3://...`.
    """
    fields = data if isinstance(data, dict) else {}
    address = text_of(fields.get("image")) or next(
        (value for value in fields.values() if isinstance(value, str) and "." in value), ""
    )
    path = unquote(address.rpartition("?d=")[2]).replace("\\", "/")
    name = path.rpartition("/")[2]
    without_digits = _UPLOAD.sub("", name, count=1) if _UPLOAD.match(name) else ""
    inside = path if "://" not in path and not path.startswith("/") else ""
    return tuple(dict.fromkeys(filter(None, (inside, name, without_digits))))


def _entry(names: tuple[str, ...], where: str, box: Any) -> Entry:
    picture, *others = names
    try:
        label = " ".join(box[_LABELS])
        check_upright(box.get("rotation") or 0)
        sides = corners_of_sides(box["x"], box["y"], box["width"], box["height"])
        return Entry(picture, where, label, sides, _PERCENT, other_names=tuple(others))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"not a box with an extent ({error})"[:120]
        return Entry(picture, where, "", fault=reason, other_names=tuple(others))
