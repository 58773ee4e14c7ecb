"""Which of the boxes that files have are boxes: in a picture, of somebody, within it."""

from math import isfinite
from pathlib import Path
from typing import Final

from model.labels import label_of
from model.pictures.boxes import DIGITS, Box
from model.pictures.files import upright_size
from model.stills.annotations.entries import Entry

EDGE: Final = 0.01
"""Share of the picture by which a box may leave it, and is cut: numbers were rounded, or a hand
slipped past the edge. What leaves it further was drawn in another picture, or in another unit."""


class WrongBoxError(Exception):
    """An entry that makes no box: the kind of fault, the reason, the shares if they are known."""

    def __init__(self, kind: str, reason: str, shares: tuple[float, ...] = ()) -> None:
        super().__init__(reason)
        self.kind = kind
        self.shares = shares


def box_of(entry: Entry, picture: Path) -> Box:
    """Return an entry's box.

    Args:
        entry: it has a label and corners.
        picture: that it lies in.

    Raises:
        WrongBoxError: it makes none.
        StillsError: the picture's size is needed and cannot be read.
    """
    assert entry.corners is not None
    width, height = entry.size or upright_size(picture)
    if not (isfinite(width) and isfinite(height) and width > 0 and height > 0):
        raise WrongBoxError("unreadable", f"a picture of {width:g}x{height:g}")
    if not all(map(isfinite, entry.corners)):
        raise WrongBoxError("unreadable", "a corner is no finite number")
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
            "its name has no letter or digit to make a label of" if entry.label else "names nobody",
            shares,
        )
    return Box(label, left, top, right, bottom)
