"""A folder of labelled stills, read into memory as a network is trained with them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.errors import StillsError
from model.fingerprint import fingerprint
from model.near_duplicates import group_near_duplicates
from model.preprocess import fit_to_canvas, fitted_size
from model.still_choice import Candidate, Choice, choose_labels, without_duplicates
from model.still_files import LeftOut, find_stills
from model.still_reading import read_still


@dataclass(frozen=True)
class Stills:
    """Labelled stills, ready for a network; all arrays have one entry per still."""

    labels: tuple[str, ...]
    """Sorted; a still's label is an index into them."""
    canvases: NDArray[np.uint8]
    """(n, 84, 84, 3), as `model.preprocess.fit_to_canvas` makes them."""
    sizes: NDArray[np.int64]
    """(n, 2) height and width in pixels of the picture on its canvas."""
    label_numbers: NDArray[np.int64]
    """(n,)"""
    groups: NDArray[np.int64]
    """(n,) stills of one group are near-duplicates."""

    def __len__(self) -> int:
        return len(self.label_numbers)

    def subset(self, chosen: NDArray[np.int64]) -> Self:
        """Return the stills at these indices, with all labels."""
        return type(self)(
            self.labels,
            self.canvases[chosen],
            self.sizes[chosen],
            self.label_numbers[chosen],
            self.groups[chosen],
        )


@dataclass(frozen=True)
class StillsFolder:
    """What was read from a folder."""

    stills: Stills
    sha256: str
    """Fingerprint of the labels and contents, whatever the files' names."""
    left_out: tuple[LeftOut, ...]
    """Files that were not used: unreadable, or there twice."""


def read_stills(folder: Path) -> StillsFolder:
    """Read a folder of labelled stills, as `model.still_files` finds them.

    Unreadable files, further copies of a file, and files under two labels are left out and listed.

    Args:
        folder: holds the stills; the labels' folders' names become the labels.

    Raises:
        StillsError: there is no such folder, fewer than two labels, or a label with fewer than
            three pictures.
    """
    found = find_stills([folder])
    left_out = list(found.left_out)
    candidates, canvases = [], {}
    for file in found.files:
        try:
            still = read_still(file.path)
        except StillsError as error:
            left_out.append(LeftOut(file.path, "unreadable", str(error)))
            continue
        candidates.append(Candidate(file, still.sha256, still.difference_hash))
        canvases[file.path] = fit_to_canvas(still.picture), fitted_size(*still.picture.shape[:2])
    kept, repeated = without_duplicates(candidates)
    label_names = [candidate.file.label for candidate in kept]
    labels = choose_labels(Choice(), label_names, str(folder)).labels
    stills = Stills(
        labels,
        np.stack([canvases[candidate.file.path][0] for candidate in kept]),
        np.array([canvases[candidate.file.path][1] for candidate in kept], np.int64),
        np.array([labels.index(name) for name in label_names], np.int64),
        group_near_duplicates(np.stack([candidate.difference_hash for candidate in kept])),
    )
    return StillsFolder(
        stills,
        fingerprint((item.file.label, item.sha256) for item in kept),
        (*left_out, *repeated),
    )
