"""Boxes as Pascal VOC: an XML file per picture, beside it or in `Annotations` beside `JPEGImages`.

<annotation><filename>a.jpg</filename><size><width>640</width><height>480</height></size>
<object><name>Ned Flanders</name>
<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>40</xmax><ymax>60</ymax></bndbox>
</object></annotation>
"""

from pathlib import Path, PurePosixPath
from typing import Final
from xml.etree.ElementTree import Element

from model.errors import StillsError
from model.stills.annotations.entries import Entries, Entry, corners, size_of
from model.stills.annotations.walking import files_below
from model.stills.annotations.xml_text import children

ROOT: Final = "annotation"
"""Root element of such a file."""


def read_voc_folder(folder: Path) -> Entries:
    """Yield the boxes of all files below a folder, and the pictures without boxes."""
    for path in files_below(folder, ".xml"):
        yield from read_voc(path, folder)


def read_voc(path: Path, folder: Path | None = None) -> Entries:
    """Yield the boxes of one file, or the picture if it has none.

    Args:
        path: The file.
        folder: The folder that picture names are relative to; by default the file's own.
    """
    inside = PurePosixPath(path.relative_to(folder or path.parent).as_posix())
    try:
        parts = list(children(path, ROOT))
    except StillsError as error:
        yield Entry("", str(inside), fault=str(error))
        return
    texts = {part.tag: part.text or "" for part in parts}
    # `C:\pictures\a.jpg` in one program, `a` in another
    name = texts.get("filename", "").strip().replace("\\", "/") or f"{inside.stem}.jpg"
    picture, *others = _places(inside, name)
    found = [part for part in parts if part.tag == "object"]
    if not found:
        yield Entry(picture, str(inside), other_names=tuple(others))
    sizes = [(part.findtext("width"), part.findtext("height")) for part in parts]
    size = next((pair for pair in sizes if any(pair)), (None, None))
    for number, part in enumerate(found, 1):
        where = f"{inside}, object {number}"
        yield _entry(part, where, picture, tuple(others), size)


def _places(inside: PurePosixPath, name: str) -> list[str]:
    folders = [inside.parent, *(inside.parent.parent / word for word in ("JPEGImages", "images"))]
    names = [name] if PurePosixPath(name).suffix else [f"{name}.jpg", f"{name}.png"]
    return [str(folder / one) for folder in folders for one in names]


def _entry(
    part: Element,
    where: str,
    picture: str,
    others: tuple[str, ...],
    size: tuple[str | None, str | None],
) -> Entry:
    label = part.findtext("name", "")
    try:
        sides = [part.findtext(f"bndbox/{name}") for name in ("xmin", "ymin", "xmax", "ymax")]
        drawn = corners(*sides)
        return Entry(picture, where, label, drawn, size_of(*size), other_names=others)
    except ValueError as error:
        return Entry(picture, where, label, fault=str(error), other_names=others)
