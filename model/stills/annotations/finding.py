"""From the name that an annotation file gives a picture to the picture."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Final

BESIDE: Final = ("", "frames", "images", "JPEGImages", "obj_train_data")
"""Folders in which pictures are looked for, beside the file that names them: the latter two are of
Pascal VOC and of YOLO's first programs."""


class NotFoundError(Exception):
    """No picture for a name: the kind of fault, and the reason."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class PictureFinder:
    """Finds pictures in an annotation file's folder, or in others that were named; nowhere else.

    A file from anywhere can name any path. What leads out of these folders, by `..`, as an absolute
    path or through a link, is refused before anything is looked at there.

    Args:
        folder: of the annotation file.
        named: folders that a person named as sources.
    """

    def __init__(self, folder: Path, named: Sequence[Path]) -> None:
        self._folder = folder
        self._allowed = (folder, *named)
        self._found: dict[tuple[str, ...], Path | NotFoundError] = {}

    def find(self, names: tuple[str, ...]) -> Path:
        """Return a picture's path, without links in it.

        Args:
            names: that it may have; the first is the likeliest.

        Raises:
            NotFoundError: there is none, or it lies elsewhere.
        """
        if names not in self._found:
            try:
                self._found[names] = self._look_for(names)
            except NotFoundError as error:
                self._found[names] = error
        found = self._found[names]
        if isinstance(found, NotFoundError):
            raise found
        return found

    def _look_for(self, names: tuple[str, ...]) -> Path:
        leads_out = False
        for name, beside in product(names, BESIDE):
            try:
                path = (self._folder / beside / name.replace("\\", "/")).resolve()
                if not any(path.is_relative_to(folder) for folder in self._allowed):
                    leads_out = True
                elif path.is_file():
                    return path
            except (OSError, ValueError, RuntimeError) as error:  # too long, NUL, a ring of links
                raise NotFoundError("no picture", "no name of a picture") from error
        if leads_out:
            raise NotFoundError(
                "refused", f"leads out of {self._folder}: name the picture's folder as a source too"
            )
        raise NotFoundError("no picture", f"not in {self._folder}")
