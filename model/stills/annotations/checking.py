"""Validate the boxes of annotation files: their label, their corners, and their picture."""

from math import isfinite
from pathlib import Path
from typing import Final

from model.labels import label_of
from model.pictures.boxes import DIGITS, Box
from model.pictures.files import upright_size
from model.stills.annotations.entries import Entry

EDGE: Final = 0.01
"""Share of the picture by which a box may exceed it, and is clipped: numbers were rounded, or the
annotator slipped past the edge. A box that exceeds it further belongs to another picture or uses
other units."""


class WrongBoxError(Exception):
    """An invalid box: the kind of fault, the reason, and the corners as shares if known."""

    def __init__(self, kind: str, reason: str, shares: tuple[float, ...] = ()) -> None:
        super().__init__(reason)
        self.kind = kind
        self.shares = shares


def box_of(entry: Entry, picture: Path) -> Box:
    """Return an entry's box.

    Args:
        entry: An entry with a label and corners.
        picture: The picture that it lies in.

    Raises:
        WrongBoxError: The box is invalid.
        StillsError: The picture's size is needed and cannot be read.
    """
    assert entry.corners is not None
    width, height = entry.size or upright_size(picture)
    if not (isfinite(width) and isfinite(height) and width > 0 and height > 0):
        raise WrongBoxError("unreadable", f"a picture of {width:g}x{height:g}")
    if not all(map(isfinite, entry.corners)):
        raise WrongBoxError("unreadable", "a corner is not a finite number")
    shares = tuple(
        round(corner / side, DIGITS)
        for corner, side in zip(entry.corners, (width, height) * 2, strict=True)
    )
    if not all(map(isfinite, shares)):
        raise WrongBoxError("unreadable", "a corner is out of all bounds")
    left, top, right, bottom = (min(max(share, 0.0), 1.0) for share in shares)
    if shares[0] >= shares[2] or shares[1] >= shares[3]:
        raise WrongBoxError(
            "empty", "its right or lower edge is not beyond its left or upper", shares
        )
    if min(shares) < -EDGE or max(shares) > 1 + EDGE or left >= right or top >= bottom:
        raise WrongBoxError(
            "outside", "leaves the picture; were other units or sizes meant?", shares
        )
    label = label_of(entry.label or "")
    if not label:
        raise WrongBoxError(
            "no label",
            "its name has no letter or digit for a label" if entry.label else "has no label",
            shares,
        )
    return Box(label, left, top, right, bottom)
