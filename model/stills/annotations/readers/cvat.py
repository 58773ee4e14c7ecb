"""Boxes in the format "CVAT for images" (1.1): one XML file; corners in pixels.

    <annotations><image id="0" name="a.jpg" width="640" height="480">
      <box label="Ned Flanders" xtl="10.0" ytl="20.0" xbr="40.0" ybr="60.0"/>
    </image></annotations>

A polygon counts as its bounding box.
"""

from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from model.errors import StillsError
from model.stills.annotations.entries import (
    Corners,
    Entries,
    Entry,
    check_upright,
    corners,
    corners_of_points,
    size_of,
)
from model.stills.annotations.xml_text import children

ROOT: Final = "annotations"
"""Root element of such a file."""


def read_cvat(path: Path) -> Entries:
    """Yield the boxes of a file, and the pictures without boxes.

    Raises:
        StillsError: The file cannot be read, or belongs to a video, whose frames are not files.
    """
    for child in children(path, ROOT):
        if child.tag == "track":
            raise StillsError(f"{path}: annotates a video; export as CVAT for images, with images")
        if child.tag == "image":
            yield from _image(child)


def _image(image: Element) -> Entries:
    picture = image.get("name", "")
    if not picture:
        yield Entry("", f"image {image.get('id', '')}"[:60], fault="names no picture")
        return
    shapes = [shape for shape in image if shape.tag in ("box", "polygon")]
    if not shapes:
        yield Entry(picture, picture[:60])
    for number, shape in enumerate(shapes, 1):
        label, where = shape.get("label", ""), f"{picture[:60]}, shape {number}"
        try:
            size = size_of(image.get("width"), image.get("height"))
            yield Entry(picture, where, label, _corners(shape), size)
        except ValueError as error:
            yield Entry(picture, where, label, fault=str(error))


def _corners(shape: Element) -> Corners:
    if shape.tag == "box":
        check_upright(shape.get("rotation", "0"))
        return corners(*(shape.get(name) for name in ("xtl", "ytl", "xbr", "ybr")))
    points = [point.split(",") for point in shape.get("points", "").split(";")]
    return corners_of_points([point[0] for point in points], [point[-1] for point in points])
