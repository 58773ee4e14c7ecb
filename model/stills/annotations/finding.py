"""Find the picture that an annotation file names."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Final

BESIDE: Final = ("", "frames", "images", "JPEGImages", "obj_train_data")
"""Folders beside the annotation file in which pictures are looked for: the latter two belong to
Pascal VOC and to YOLO's first programs."""


class NotFoundError(Exception):
    """No picture for a name: the kind of fault, and the reason."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class PictureFinder:
    """Finds pictures in an annotation file's folder, or in other given folders; nowhere else.

    An untrusted file can name any path. A name that leads out of these folders, by `..`, as an
    absolute path or through a link, is refused before anything there is read.

    Args:
        folder: The folder of the annotation file.
        named: Folders that a person gave as sources.
    """

    def __init__(self, folder: Path, named: Sequence[Path]) -> None:
        self._folder = folder
        self._allowed = (folder, *named)
        self._found: dict[tuple[str, ...], Path | NotFoundError] = {}

    def find(self, names: tuple[str, ...]) -> Path:
        """Return a picture's path, without links in it.

        Args:
            names: Possible names of the picture, most likely first.

        Raises:
            NotFoundError: The picture does not exist, or lies elsewhere.
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
                raise NotFoundError("no picture", "not the name of a picture") from error
        if leads_out:
            raise NotFoundError(
                "refused", f"leads out of {self._folder}: name the picture's folder as a source too"
            )
        raise NotFoundError("no picture", f"not in {self._folder}")
