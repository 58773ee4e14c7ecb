"""Boxes as CSV: a line per box.

    path,left,top,right,bottom,label[,...] frame_0001.jpg,0.3531,0.5059,0.6750,0.7926,ned_flanders

Corners are shares of the picture. Columns may have any order, and others are ignored.
"""

import csv
from io import StringIO
from pathlib import Path
from typing import Final

from model.errors import StillsError
from model.stills.annotations.entries import Entries, Entry, corners, read_text

COLUMNS: Final = ("path", "left", "top", "right", "bottom", "label")
"""Columns that the first line names, in any order."""


def read_csv(path: Path) -> Entries:
    """Yield the boxes of a CSV file.

    Raises:
        StillsError: The file cannot be read, or its first line does not name the columns.
    """
    rows = csv.DictReader(StringIO(read_text(path), newline=""), strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    except csv.Error as error:
        raise StillsError(f"{path}: line 1 is not CSV ({error})") from error
    twice = [name for name in COLUMNS if list(rows.fieldnames or ()).count(name) > 1]
    if twice:
        raise StillsError(f"{path}: two columns {', '.join(twice)}; leave one of each")
    if missing:
        raise StillsError(
            f"{path}: no column {', '.join(missing)}; begin it with the line {','.join(COLUMNS)}"
        )
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Entry("", f"line {rows.line_num}", fault=f"not a line of CSV ({error})")
            continue
        yield _entry(row, f"line {rows.line_num}")


def _entry(row: dict[str, str | None], where: str) -> Entry:
    picture, *sides, label = (row[name] for name in COLUMNS)
    if not picture:
        return Entry("", where, fault="names no picture")
    if not any(sides) and not label:
        return Entry(picture, where)
    try:
        return Entry(picture, where, label or "", corners(*sides))
    except ValueError as error:
        return Entry(picture, where, label or "", fault=str(error))
