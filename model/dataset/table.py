"""`stills.csv`: a line for each still of a dataset."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Final

from model.dataset import folder as names
from model.dataset.folder import Dataset
from model.errors import DatasetError

_COLUMNS: Final = ("part", "label", "labels", "boxes", "all_boxed", "group", "source", "sha256")
_SHA256_DIGITS: Final = 64  # of the last column: fewer digits show that the line was truncated


@dataclass(frozen=True)
class StillLine:
    """A line of the table."""

    part: str
    """train, validation or test."""
    label: str
    """The main label."""
    labels: tuple[str, ...]
    """All labels in the still."""
    boxes: int
    """Number of boxes."""
    all_boxed: bool
    """Whether everybody with a label of the dataset in it has a box."""
    group: int
    """Equal for near-duplicates."""
    source: str
    """The file that it came from."""
    sha256: str
    """Of that file's content, as hexadecimal digits."""


def table_text(lines: Iterable[StillLine]) -> str:
    """Return the table's content."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for line in lines:
        writer.writerow(
            (
                line.part,
                line.label,
                " ".join(line.labels),
                line.boxes,
                int(line.all_boxed),
                line.group,
                line.source,
                line.sha256,
            )
        )
    return text.getvalue()


def read_table(dataset: Dataset) -> list[StillLine]:
    """Return the lines of a dataset's table; older tables have no columns for boxes.

    Raises:
        DatasetError: The table is missing or damaged.
    """
    path = dataset.folder / names.STILLS
    try:
        if not path.is_file():  # opening a named pipe would block for ever
            raise ValueError("no regular file")  # noqa: TRY301
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(_lines(csv.DictReader(file)))
        expected = sum(map(sum, dataset.manifest.counts.values()))
        if len(lines) != expected:
            raise ValueError(f"not {expected} lines")  # noqa: TRY301
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise DatasetError(f"{path}: gone or damaged; build the dataset again") from error
    return lines


def _lines(rows: Iterable[dict[str, str]]) -> Iterator[StillLine]:
    for row in rows:
        if len(row["sha256"]) != _SHA256_DIGITS:  # None, which raises TypeError, in a shorter line
            raise ValueError("a line was cut off")
        yield StillLine(
            row["part"],
            row["label"],
            tuple(row.get("labels", row["label"]).split()),
            int(row.get("boxes", 0)),
            row.get("all_boxed") == "1",
            int(row["group"]),
            row["source"],
            row["sha256"],
        )
