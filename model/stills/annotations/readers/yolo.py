"""Boxes as YOLO: a text file per picture, with its name; centre and sides as shares.

    data.yaml          names: [Homer Simpson, Ned Flanders]; or classes.txt, a line per name
    images/a.jpg       in images and labels, at any depth, or side by side
    labels/a.txt       1 0.5 0.4 0.2 0.3: number of the name, x and y of the centre, width, height

A line with more numbers is a polygon, which counts as its bounding box.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from model.errors import StillsError
from model.stills.annotations.entries import (
    Corners,
    Entries,
    Entry,
    corners,
    corners_of_points,
    numbers,
    read_text,
)
from model.stills.annotations.walking import files_below

NAMES: Final = ("data.yaml", "data.yml", "classes.txt", "obj.names", "labels/classes.txt")
"""Files that list the names; a folder with one of them has this format."""

_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".JPG", ".JPEG", ".PNG")
_OTHER_TEXTS: Final = frozenset(("classes.txt", "train.txt", "valid.txt", "val.txt", "test.txt"))
_FLOW_ITEM: Final = re.compile(r"""\s*(?:\d+\s*:\s*)?("[^"]*"|'[^']*'|[^,'"]+)\s*(?:,|$)""")
_BLOCK_ITEM: Final = re.compile(r"\s*(?:-|['\"]?\d+['\"]?\s*:)\s+(.+)")


def read_yolo(folder: Path) -> Entries:
    """Yield the boxes of a folder, and the pictures whose text files are empty.

    Raises:
        StillsError: The names cannot be read.
    """
    listed = next(folder / name for name in NAMES if (folder / name).is_file())
    is_yaml = listed.suffix in (".yaml", ".yml")
    names = _yaml_names(listed) if is_yaml else _lines(read_text(listed))
    if not names:
        raise StillsError(f"{listed}: lists no names; write names: [FIRST, SECOND]")
    for path in _text_files(folder):
        yield from _text_file(path, folder, names)


def is_yolo_folder(folder: Path) -> bool:
    """Tell whether a folder has this format: it lists names, and holds text files."""
    lists_names = any((folder / name).is_file() for name in NAMES)
    return lists_names and any(True for _ in _text_files(folder))


def _text_files(folder: Path) -> Iterator[Path]:
    for path in files_below(folder, ".txt"):
        if path.name not in _OTHER_TEXTS and not path.name.lower().startswith("readme"):
            yield path


def _text_file(path: Path, folder: Path, names: Sequence[str]) -> Entries:
    inside = PurePosixPath(path.relative_to(folder).as_posix())
    picture, *others = _places(inside)
    try:
        lines = read_text(path).splitlines()
    except StillsError as error:
        yield Entry(picture, str(inside), fault=str(error), other_names=tuple(others))
        return
    if not any(map(str.strip, lines)):
        yield Entry(picture, str(inside), other_names=tuple(others))
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _entry(line, f"{inside}, line {number}", picture, tuple(others), names)


def _places(inside: PurePosixPath) -> list[str]:
    """Return possible places of a text file's picture: beside it, or in `images` for `labels`."""
    places = [inside]
    if "labels" in inside.parts:
        last = len(inside.parts) - 1 - inside.parts[::-1].index("labels")
        places.append(PurePosixPath(*inside.parts[:last], "images", *inside.parts[last + 1 :]))
    # not with_suffix: `a.rf.0123.txt` belongs to `a.rf.0123.jpg`
    return [f"{place.parent / place.stem}{suffix}" for place in places for suffix in _SUFFIXES]


def _entry(
    line: str, where: str, picture: str, others: tuple[str, ...], names: Sequence[str]
) -> Entry:
    number, *texts = line.split()
    label = ""
    try:
        label = _name(number, names)
        return Entry(picture, where, label, _corners(texts), other_names=others)
    except ValueError as error:
        return Entry(picture, where, label, fault=str(error), other_names=others)


def _name(number: str, names: Sequence[str]) -> str:
    # float: networks write 3.0; short: a number may be written with a million digits
    value = float(number) if len(number) < 9 else -1.0
    if not (value.is_integer() and 0 <= value < len(names)):
        raise ValueError(f"name {number[:20]} of {len(names)}, counted from 0")
    return names[int(value)]


def _corners(texts: Sequence[str]) -> Corners:
    if len(texts) in (4, 5):  # the fifth is a confidence, where a network drew the box
        x, y, width, height = numbers(*texts[:4])
        return corners(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    if len(texts) < 6 or len(texts) % 2:
        raise ValueError(f"{len(texts)} numbers after the name's, not four")
    return corners_of_points(texts[::2], texts[1::2])


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _yaml_names(path: Path) -> list[str]:
    """Return the list or mapping `names` of a YAML file; nothing else of it is read."""
    _, found, after = f"\n{read_text(path)}".partition("\nnames:")
    first, *rest = after.splitlines() or [""]
    if first.strip()[:1] in ("[", "{"):
        closing = {"[": "]", "{": "}"}[first.strip()[0]]
        inner = " ".join((first, *rest)).strip()[1:].partition(closing)[0]
        return [_unquoted(item) for item in _FLOW_ITEM.findall(inner)]
    names = []
    for line in rest:
        item = _BLOCK_ITEM.fullmatch(line.split(" #")[0].rstrip())
        if item:
            names.append(_unquoted(item[1]))
        elif line.strip() and not line.strip().startswith("#"):
            break
    return names if found else []


def _unquoted(text: str) -> str:
    return text.strip().strip("'\"").strip()
