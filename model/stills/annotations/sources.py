"""Read files of boxes: collect the boxes by picture, and the faults of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from model.errors import StillsError
from model.labels import Names
from model.pictures.boxes import DrawnBox, WrongBox
from model.stills.annotations.checking import WrongBoxError, box_of
from model.stills.annotations.entries import Entry
from model.stills.annotations.finding import NotFoundError, PictureFinder
from model.stills.annotations.formats import AnnotationSource

_MAX_SHOWN: Final = 200  # letters of a name in the report: an untrusted file may have millions


@dataclass
class BoxedPicture:
    """A picture that files of boxes name."""

    name: str
    """The annotation file's folder and the path within it."""
    boxes: list[DrawnBox] = field(default_factory=list)
    """Its boxes without duplicates."""
    lacks_boxes: bool = False
    """Whether a box of it was invalid, so that somebody in it may have none."""


@dataclass(frozen=True)
class Annotations:
    """The content of files of boxes."""

    pictures: Mapping[Path, BoxedPicture]
    """By their paths, without links; in the order in which they are named."""
    wrong: tuple[WrongBox, ...]
    """Invalid boxes."""
    names: Names
    """Display names of labels, as the files write them."""


def read_annotations(sources: Sequence[AnnotationSource], named: Sequence[Path]) -> Annotations:
    """Read files of boxes; an invalid box never stops this.

    Args:
        sources: The sources, in this order.
        named: Further folders in which pictures may lie.

    Raises:
        StillsError: A file does not have its format, or none of its pictures exists.
    """
    pictures: dict[Path, BoxedPicture] = {}
    wrong: list[WrongBox] = []
    names = Names()
    for source in sources:
        reading = _Reading(source, PictureFinder(source.folder, named), pictures, wrong, names)
        for entry in source.entries():
            reading.take(entry)
        reading.check_found()
    return Annotations(pictures, tuple(wrong), names)


class _Reading:
    """Collects the entries of one source."""

    def __init__(
        self,
        source: AnnotationSource,
        finder: PictureFinder,
        pictures: dict[Path, BoxedPicture],
        wrong: list[WrongBox],
        names: Names,
    ) -> None:
        self._source = source
        self._finder = finder
        self._pictures = pictures
        self._wrong = wrong
        self._names = names
        self._found = 0
        self._missing = ""

    def take(self, entry: Entry) -> None:
        """Add an entry's box to its picture, or to the invalid ones."""
        if not entry.picture:
            self._note(entry, "unreadable", entry.fault)
            return
        try:
            path = self._finder.find((entry.picture, *entry.other_names))
        except NotFoundError as error:
            self._missing = self._missing or f"{entry.picture[:_MAX_SHOWN]}: {error}"
            self._note(entry, error.kind, str(error))
            return
        self._found += 1
        picture = self._pictures.setdefault(path, BoxedPicture(self._name_of(path)))
        if entry.fault:
            self._note(entry, "unreadable", entry.fault)
            picture.lacks_boxes = True
        elif entry.label is not None:
            self._draw(entry, path, picture)

    def _draw(self, entry: Entry, path: Path, picture: BoxedPicture) -> None:
        try:
            box = box_of(entry, path)
        except WrongBoxError as error:
            self._note(entry, error.kind, str(error), error.shares)
            picture.lacks_boxes = True
        except StillsError as error:
            self._note(entry, "unreadable", str(error))
            picture.lacks_boxes = True
        else:
            self._names.note(entry.label or "")
            if all(box != drawn.box for drawn in picture.boxes):
                picture.boxes.append(DrawnBox(box, self._source.path, entry.where, entry.picture))

    def check_found(self) -> None:
        """Refuse a source without any picture: its pictures lie elsewhere.

        Raises:
            StillsError: Names the first missing picture.
        """
        if not self._found:
            why = f"none of its pictures exists ({self._missing})" if self._missing else "no box"
            raise StillsError(f"{self._source.path}: {why}; put the pictures beside it")

    def _note(self, entry: Entry, kind: str, reason: str, shares: tuple[float, ...] = ()) -> None:
        self._wrong.append(
            WrongBox(
                self._source.path,
                entry.where,
                entry.picture[:_MAX_SHOWN],
                kind,
                reason,
                (entry.label or "")[:_MAX_SHOWN],
                shares,
            )
        )

    def _name_of(self, path: Path) -> str:
        folder = self._source.folder
        if path.is_relative_to(folder):
            return f"{folder.name}/{path.relative_to(folder).as_posix()}"
        return f"{path.parent.name}/{path.name}"
