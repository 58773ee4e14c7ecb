"""Find all stills of all sources: folders of labels, files of boxes, and both together."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from model.errors import StillsError
from model.labels import Names
from model.pictures.boxes import main_label
from model.stills.annotations.formats import AnnotationSource, annotation_sources
from model.stills.annotations.sources import Annotations, BoxedPicture, read_annotations
from model.stills.files import FoundStills, LeftOut, StillFile, find_stills

_NO_PICTURES: Final = frozenset((".txt", ".xml", ".yaml", ".yml", ".json", ".csv", ".names"))
"""Suffixes of files beside pictures that hold boxes; they are not listed as left out."""


def find_sources(sources: Sequence[Path]) -> FoundStills:
    """Find the stills of folders per label and of files of boxes.

    A picture that lies in a label's folder and has boxes too is one still, with the folder's label.
    A picture that only files of boxes name has the label of its largest box, and counts as
    completely annotated.

    Args:
        sources: Any number of both, in any order.

    Raises:
        StillsError: A source does not exist, or a file has an unknown format.
    """
    paths = list(dict.fromkeys(path.resolve() for path in sources))
    for path in paths:
        if not path.exists():
            raise StillsError(f"{path}: no such file or folder; give stills by LABEL, or boxes")
    boxed, folders = [], []
    for path in paths:
        of_boxes = annotation_sources(path)
        boxed += of_boxes
        folders += [] if of_boxes else [path]
    found = find_stills(folders)
    if not boxed:
        return found
    annotations = read_annotations(boxed, folders)
    return _joined(found, annotations, boxed)


def _joined(
    found: FoundStills, annotations: Annotations, sources: Sequence[AnnotationSource]
) -> FoundStills:
    pictures = dict(annotations.pictures)
    labels = {drawn.box.label for picture in pictures.values() for drawn in picture.boxes}
    files: list[StillFile] = []
    left_out = list(found.left_out)
    for file in found.files:
        if file.label not in labels and _lies_beside_boxes(file.path, sources):
            if file.path.resolve() not in pictures and _may_be_picture(file.path):
                left_out.append(LeftOut(file.path, "no label", "no file of boxes names it"))
        elif boxed := pictures.pop(file.path.resolve(), None):
            files.append(replace(file, boxes=tuple(boxed.boxes)))
        else:
            files.append(file)
    written = {source.path for source in sources}
    files = [file for file in files if file.path.resolve() not in written]
    for path, picture in pictures.items():
        if picture.boxes:
            files.append(_boxed_file(path, picture))
        else:
            left_out.append(LeftOut(path, "no box", _why_boxless(picture)))
    names = Names({**annotations.names, **found.names})
    return FoundStills(tuple(files), tuple(left_out), annotations.wrong, names)


def _why_boxless(picture: BoxedPicture) -> str:
    if picture.lacks_boxes:
        return "none of its boxes can be used"
    return "named without a box; if nobody is in it, put it in a folder named unknown"


def _may_be_picture(path: Path) -> bool:
    return path.suffix.lower() not in _NO_PICTURES


def _boxed_file(path: Path, picture: BoxedPicture) -> StillFile:
    label = main_label([drawn.box for drawn in picture.boxes])
    return StillFile(
        path,
        label,
        picture.name,
        tuple(picture.boxes),
        is_in_label_folder=False,
        all_boxed=not picture.lacks_boxes,
    )


def _lies_beside_boxes(path: Path, sources: Sequence[AnnotationSource]) -> bool:
    """Tell whether a picture lies where a source of boxes looks first: its folder is no label."""
    return any(
        path.parent in source.picture_folders
        or (source.is_folder and source.folder in path.parents)
        for source in sources
    )
