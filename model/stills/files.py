"""Find still files and their labels, by the folder that contains them or by their name.

    LABEL/anything.jpg                    a folder per label
    train/LABEL/*.jpg, test/LABEL/*.jpg   any folders around those; sets are merged
    test/LABEL_12.jpg                     a flat folder, where the names begin with the labels

Files are not opened here: their content decides later whether they are pictures.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from model.errors import StillsError
from model.labels import Names, label_of, require_label_of
from model.pictures.boxes import DrawnBox, WrongBox

SET_NAMES: Final = frozenset(
    (
        *("train", "training", "train_set"),
        *("valid", "val", "validation", "validation_set"),
        *("test", "testing", "test_set"),
    )
)
"""Names of folders that hold a set, not a label; stills directly in them are named by label."""

SOURCES_NAME: Final = "_sources.csv"
"""A list, beside stills, of where they were taken from."""

_NUMBERED: Final = re.compile(r"(.+?)[ _-]*\d+")  # `ned_flanders_12`, `ned flanders 12`


@dataclass(frozen=True)
class StillFile:
    """A file that may become a still."""

    path: Path
    label: str
    """A label as `model.labels.label_of` makes it."""
    name: str
    """The source's name and the path within it, such as `train/ned_flanders/pic_0001.jpg`."""
    boxes: tuple[DrawnBox, ...] = ()
    """Bounding boxes in it."""
    is_in_label_folder: bool = True
    """Whether its label comes from its folder (or its own name), not from its largest box."""
    all_boxed: bool = False
    """Whether everybody with a label of the dataset in it has a box."""

    @property
    def labels(self) -> frozenset[str]:
        """All labels in the still."""
        return frozenset((self.label, *(drawn.box.label for drawn in self.boxes)))


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that is not used."""

    path: Path
    kind: str
    """`no label`, `unreadable`, `duplicate`, `two labels`, `wished away` or `no box`."""
    reason: str
    """Why it is not used, in words."""


@dataclass(frozen=True)
class FoundStills:
    """The content of sources."""

    files: tuple[StillFile, ...]
    left_out: tuple[LeftOut, ...]
    """Files and folders that are not used."""
    wrong_boxes: tuple[WrongBox, ...] = ()
    """Boxes that are not used."""
    names: Names = field(default_factory=Names)
    """Display names of labels, as folders and files of boxes write them."""


@dataclass(frozen=True)
class _Folder:
    source: Path
    path: Path
    names: tuple[str, ...]

    @property
    def holds_a_set(self) -> bool:
        return label_of(self.path.name) in SET_NAMES

    def prefixes(self) -> set[str]:
        """Return the labels of its files, assuming that their names begin with labels."""
        return {label for name in self.names if (label := label_of(_name_in(name)))}


def find_stills(sources: Sequence[Path]) -> FoundStills:
    """Find the files of any number of sources, ordered by source, then by path.

    Hidden files and folders are skipped, and so are folders whose names begin with `_`, which await
    a person's decision and are listed, links to folders that contain them, and lists of sources.
    All other links to folders are followed.

    Args:
        sources: Folders; one that is given twice counts once.

    Returns:
        The files, and those left out.

    Raises:
        StillsError: A folder does not exist, or two folders in one place have the same label.
        LabelError: A folder of stills has a name that cannot become a label.
    """
    left_out: list[LeftOut] = []
    folders = [
        folder
        for source in dict.fromkeys(path.resolve() for path in sources)
        for folder in _folders(source, left_out)
    ]
    labels = {label_of(folder.path.name) for folder in folders if not folder.holds_a_set}
    flat = {folder.path for folder in folders if _is_flat(folder, labels)}
    label_of_folder = _labels([folder.path for folder in folders if folder.path not in flat])
    files: list[StillFile] = []
    names = Names()
    for folder in folders:
        for file_name in folder.names:
            name = _name_in(file_name) if folder.path in flat else folder.path.name
            label = label_of_folder.get(folder.path) or label_of(name)
            path = folder.path / file_name
            if label:
                inside = path.relative_to(folder.source).as_posix()
                files.append(StillFile(path, label, f"{folder.source.name}/{inside}"))
                names.note(name)
            else:
                reason = "in no label's folder, and its name is not LABEL_NUMBER"
                left_out.append(LeftOut(path, "no label", reason))
    return FoundStills(tuple(files), tuple(left_out), names=names)


def _labels(folders: Sequence[Path]) -> dict[Path, str]:
    """Return the labels of folders.

    Raises:
        StillsError: Two folders beside each other have the same label, so that one of two
            characters would be mistaken for the other.
        LabelError: A folder's name cannot become a label.
    """
    labels: dict[Path, str] = {}
    namesakes: dict[tuple[Path, str], Path] = {}
    for folder in folders:
        label = labels[folder] = require_label_of(folder.name, str(folder.parent))
        other = namesakes.setdefault((folder.parent, label), folder)
        if other != folder:
            raise StillsError(
                f"{folder.parent}: the folders {other.name!r} and {folder.name!r} both have the "
                f"label {label}; merge them, or rename one"
            )
    return labels


def _folders(source: Path, left_out: list[LeftOut]) -> Iterator[_Folder]:
    """Yield the folders under a source that contain files."""
    if not source.is_dir():
        raise StillsError(f"{source}: no such folder; give one that holds LABEL/PICTURE files")

    def note(error: OSError) -> None:
        path = Path(str(error.filename))
        left_out.append(LeftOut(path, "unreadable", f"cannot be opened ({error.strerror})"))

    for path, inner, names in os.walk(source, onerror=note, followlinks=True):
        visible = sorted(name for name in inner if not name.startswith("."))
        passed_over = {name: why for name in visible if (why := _why_passed_over(Path(path, name)))}
        for name, reason in passed_over.items():
            left_out.append(LeftOut(Path(path, name), "no label", reason))
        inner[:] = [name for name in visible if name not in passed_over]
        shown = tuple(sorted(name for name in names if name[0] != "." and name != SOURCES_NAME))
        if shown:
            yield _Folder(source, Path(path), shown)


def _why_passed_over(folder: Path) -> str:
    """Return why a folder is skipped; empty if it is not."""
    if folder.name.startswith("_"):
        return "the folder's name begins with _: move the stills into their labels' folders"
    if folder.is_symlink() and any(map(folder.samefile, folder.parents)):
        return "a link to a folder that it lies in"
    return ""


def _is_flat(folder: _Folder, labels: set[str]) -> bool:
    """Tell whether names decide: in a folder of a set, or where they repeat folders' names.

    The files of a label's folder have names of their own (`pic_0001`), all alike; a flat folder
    therefore has two labels or more. In other sources, folders must confirm most of them.
    """
    if folder.holds_a_set:
        return True
    prefixes = folder.prefixes()
    known = prefixes & labels
    if folder.path == folder.source and not known:
        return len(prefixes) >= 2
    return len(known) >= 2 and 2 * len(known) >= len(prefixes)


def _name_in(name: str) -> str:
    """Return the label that a file's name begins with; empty if it is not LABEL_NUMBER."""
    stem = Path(name).stem
    # `0012` is a number, not the twelfth still of `0`
    matched = None if stem.isdecimal() else _NUMBERED.fullmatch(stem)
    return matched[1] if matched else ""
