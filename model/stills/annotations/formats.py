"""Detect the format of a source of boxes by its name and its content."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from model.errors import StillsError
from model.stills.annotations.coco_writing import COCO_NAME
from model.stills.annotations.entries import Entries
from model.stills.annotations.finding import BESIDE
from model.stills.annotations.json_text import read_json
from model.stills.annotations.readers.coco import coco_entries, is_coco
from model.stills.annotations.readers.csv_file import read_csv
from model.stills.annotations.readers.cvat import ROOT as CVAT_ROOT
from model.stills.annotations.readers.cvat import read_cvat
from model.stills.annotations.readers.label_studio import is_label_studio, label_studio_entries
from model.stills.annotations.readers.via import is_via, via_entries
from model.stills.annotations.readers.voc import ROOT as VOC_ROOT
from model.stills.annotations.readers.voc import read_voc, read_voc_folder
from model.stills.annotations.readers.yolo import NAMES, is_yolo_folder, read_yolo
from model.stills.annotations.xml_text import root_of

FORMATS: Final = "CSV, COCO, YOLO, Pascal VOC, VIA, Label Studio, CVAT"
"""The supported formats, for messages."""

_SETS: Final = (".", "train", "valid", "test")
_VOC_FOLDERS: Final = (*_SETS, "Annotations")


@dataclass(frozen=True)
class AnnotationSource:
    """A file of boxes, or a folder of such files."""

    path: Path
    """The file or folder."""
    folder: Path
    """The folder that its picture names are relative to."""
    read: Callable[[Path], Entries]
    """Parser of its format."""
    is_folder: bool = False
    """Whether all files in the folder belong to it."""

    @cached_property
    def picture_folders(self) -> frozenset[Path]:
        """The folders in which pictures are looked for first."""
        return frozenset(self.folder / beside for beside in BESIDE)

    def entries(self) -> Entries:
        """Yield the entries of the source.

        Raises:
            StillsError: The source does not have its format.
        """
        return self.read(self.path)


def annotation_sources(path: Path) -> list[AnnotationSource]:
    """Return the sources of boxes at a path; none for a folder of labelled stills.

    Args:
        path: A file or folder that exists, without links.

    Raises:
        StillsError: A file has an unknown format.
    """
    if path.is_dir():
        return _in_folder(path)
    if path.name in NAMES and path.suffix != ".txt":
        return [AnnotationSource(path.parent, path.parent, read_yolo, is_folder=True)]
    return [AnnotationSource(path, path.parent, _reader(path))]


def _in_folder(folder: Path) -> list[AnnotationSource]:
    coco = [folder / name / COCO_NAME for name in _SETS]
    found = [path.resolve() for path in coco if path.is_file()]
    if found:
        return [AnnotationSource(path, path.parent, _read_json_boxes) for path in found]
    if is_yolo_folder(folder):
        return [AnnotationSource(folder, folder, read_yolo, is_folder=True)]
    if _is_voc_folder(folder):
        return [AnnotationSource(folder, folder, read_voc_folder, is_folder=True)]
    return []


def _is_voc_folder(folder: Path) -> bool:
    """Decide by the first XML file in the folder."""
    for name in _VOC_FOLDERS:
        first = min((folder / name).glob("*.xml"), default=None)
        if first:
            with suppress(StillsError):  # an XML file of another kind beside stills
                return root_of(first) == VOC_ROOT
    return False


def _reader(path: Path) -> Callable[[Path], Entries]:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return read_csv
    if suffix == ".json":
        return _read_json_boxes
    if suffix == ".xml":
        root = root_of(path)
        if root == VOC_ROOT:
            return read_voc
        if root == CVAT_ROOT:
            return read_cvat
    raise StillsError(
        f"{path}: neither a folder of stills nor a file of boxes as {FORMATS};"
        " see docs/how-to/datasets.md"
    )


def _read_json_boxes(path: Path) -> Entries:
    content = read_json(path)
    for is_format, entries in (
        (is_coco, coco_entries),
        (is_via, via_entries),
        (is_label_studio, label_studio_entries),
    ):
        if is_format(content):
            return entries(content)
    raise StillsError(f"{path}: JSON, but not COCO, VIA or Label Studio; export it again")
