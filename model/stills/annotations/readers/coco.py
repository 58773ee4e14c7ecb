"""Boxes in COCO format: one JSON file; corners in pixels (cocodataset.org/#format-data).

{"images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}],
"categories": [{"id": 3, "name": "Ned Flanders"}],
"annotations": [{"id": 7, "image_id": 1, "category_id": 3, "bbox": [x, y, width, height]}]}
"""

from typing import Any

from model.stills.annotations.entries import Entries, Entry, corners_of_sides, size_of
from model.stills.annotations.json_text import objects, text_of


def is_coco(content: Any) -> bool:
    """Tell whether parsed JSON has this format."""
    return isinstance(content, dict) and {"images", "annotations", "categories"} <= content.keys()


def coco_entries(content: Any) -> Entries:
    """Yield the boxes, then the pictures without boxes."""
    images = {_key(image.get("id")): image for image in objects(content["images"])}
    names = {_key(item.get("id")): item.get("name") for item in objects(content["categories"])}
    bare = dict(images)
    for number, item in enumerate(objects(content["annotations"])):
        where = f"annotation {item.get('id', number)}"[:60]
        key = _key(item.get("image_id"))
        if key not in images:
            yield Entry("", where, fault="belongs to no picture of the file")
            continue
        bare.pop(key, None)
        yield _entry(item, where, images[key], names)
    for key, image in bare.items():
        picture, where = text_of(image.get("file_name")), f"image {key}"[:60]
        yield Entry(picture, where, fault="" if picture else "names no picture")


def _entry(item: dict[str, Any], where: str, image: dict[str, Any], names: dict[str, Any]) -> Entry:
    picture = text_of(image.get("file_name"))
    label = text_of(names.get(_key(item.get("category_id"))))
    if not picture:
        return Entry("", where, fault="names no picture")
    if item.get("iscrowd"):
        return Entry(picture, where, label, fault="marks a crowd, not one character")
    try:
        left, top, width, height = item["bbox"]
        sides = corners_of_sides(left, top, width, height)
        return Entry(picture, where, label, sides, size_of(image.get("width"), image.get("height")))
    except (KeyError, TypeError, ValueError) as error:
        return Entry(picture, where, label, fault=f"no bbox of four numbers ({error})"[:120])


def _key(value: Any) -> str:
    """Return an id as text, because programs write both numbers and texts."""
    return str(value) if isinstance(value, int | str) else ""
