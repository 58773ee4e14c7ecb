"""Boxes of VGG Image Annotator: a project or an export as JSON; corners in pixels.

    {"a.jpg12345": {"filename": "a.jpg", "size": 12345, "regions": [
        {"shape_attributes": {"name": "rect", "x": 10, "y": 20, "width": 30, "height": 40},
         "region_attributes": {"label": "Ned Flanders"}}]}}

Any other shape counts as its bounding box. The file does not contain the pictures' sizes.
"""

from typing import Any, Final

from model.stills.annotations.entries import (
    Corners,
    Entries,
    Entry,
    corners,
    corners_of_points,
    corners_of_sides,
    numbers,
)
from model.stills.annotations.json_text import objects, text_of

_METADATA: Final = "_via_img_metadata"  # key in a project; an export is its value
_LABEL_NAMES: Final = (
    "label",
    "name",
    "character",
    "class",
    "type",
)  # attribute names, in this order


def is_via(content: Any) -> bool:
    """Tell whether parsed JSON has this format."""
    if not isinstance(content, dict):
        return False
    are_pictures = [isinstance(item, dict) and "regions" in item for item in content.values()]
    return _METADATA in content or (bool(are_pictures) and all(are_pictures))


def via_entries(content: Any) -> Entries:
    """Yield the boxes, and the pictures without boxes."""
    metadata = content.get(_METADATA, content)
    for key, picture in metadata.items() if isinstance(metadata, dict) else ():
        name = text_of(picture.get("filename")) if isinstance(picture, dict) else ""
        if not name:
            yield Entry("", key[:60], fault="names no picture")
            continue
        regions = picture.get("regions")
        # before version 2, an object whose keys are numbers
        found = objects(list(regions.values()) if isinstance(regions, dict) else regions)
        if not found:
            yield Entry(name, name[:60])
        for number, region in enumerate(found, 1):
            yield _entry(name, f"{name[:60]}, region {number}", region)


def _entry(picture: str, where: str, region: dict[str, Any]) -> Entry:
    label = _label(region.get("region_attributes"))
    shape = region.get("shape_attributes")
    try:
        return Entry(picture, where, label, _corners(shape), size=None)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return Entry(picture, where, label, fault=f"not a shape with an extent ({error})"[:120])


def _label(attributes: Any) -> str:
    if not isinstance(attributes, dict) or not attributes:
        return ""
    named = next((name for name in _LABEL_NAMES if name in attributes), next(iter(attributes)))
    value = attributes[named]
    if isinstance(value, dict):  # check boxes: {"ned_flanders": true}
        ticked = [name for name, is_ticked in value.items() if is_ticked]
        return ticked[0] if len(ticked) == 1 else ""
    return text_of(value)


def _corners(shape: Any) -> Corners:
    name = shape["name"]
    if name == "rect":
        return corners_of_sides(shape["x"], shape["y"], shape["width"], shape["height"])
    if name in ("circle", "ellipse"):
        x, y = numbers(shape["cx"], shape["cy"])
        across, down = numbers(shape.get("rx", shape.get("r")), shape.get("ry", shape.get("r")))
        return corners(x - across, y - down, x + across, y + down)
    return corners_of_points(shape["all_points_x"], shape["all_points_y"])
