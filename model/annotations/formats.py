"""Which format a source of boxes has: its name and its content decide."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from model.annotations.csv_file import read_csv
from model.annotations.entries import Entries
from model.annotations.finding import BESIDE
from model.errors import StillsError


@dataclass(frozen=True)
class AnnotationSource:
    """A file of boxes, or a folder of such."""

    path: Path
    folder: Path
    """Relative to which it names pictures."""
    read: Callable[[Path], Entries]
    is_folder: bool = False
    """Whether all that lies in the folder belongs to it."""

    @cached_property
    def picture_folders(self) -> frozenset[Path]:
        """Where pictures are looked for first."""
        return frozenset(self.folder / beside for beside in BESIDE)

    def entries(self) -> Entries:
        """Yield what it holds.

        Raises:
            StillsError: it is none of its format.
        """
        return self.read(self.path)


_READERS: Final = {".csv": read_csv}


def annotation_source(path: Path) -> AnnotationSource | None:
    """Return a source of boxes; None for a folder of labelled stills.

    Args:
        path: a file or folder that exists.

    Raises:
        StillsError: a file of no known format.
    """
    if path.is_dir():
        return None
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(sorted(_READERS))
        raise StillsError(
            f"{path}: no folder, and no file of boxes ({known}); see docs/datasets.md"
        )
    return AnnotationSource(path, path.parent, reader)
