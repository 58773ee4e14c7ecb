"""Hard cuts between decoded frames, found from a tiny signature of each. Pure.

A cut is the first frame of a shot. It differs much from the frame before, far more than frames
around it differ from each other, and nothing shortly after it looks like anything shortly before:

- a pan, a zoom, a run or a shaking camera changes every frame, so that none stands out (content
  relative to its neighbourhood, as PySceneDetect's AdaptiveDetector measures it);
- mouths and limbs of limited animation, held for two to four frames, change too little;
- fades and dissolves take too many small steps;
- after a flash the picture is back.

What is said of a frame depends on WINDOW frames before and after it. So the frames at both ends of
a stretch are kept, and the cuts of two neighbouring stretches, joined, are exactly those of the
whole: where an episode was cut into chunks changes nothing.
"""

import base64
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

LUMA_SHAPE, CHROMA_SHAPE = (12, 16), (6, 8)
"""Rows and columns of a signature's three parts: Y, then Cb and Cr."""

SIGNATURE_BYTES = 12 * 16 + 2 * 6 * 8

LEAST_DIFFERENCE = 28.0
"""Code values of 8 bits by which Y, Cb and Cr together differ in the mean across a cut between two
still pictures. Halfway, as a ratio, between what was measured on four episodes made by our own code
(two drawn, two composed of stills and other cartoons, 125 cuts): 57 or more at each of the cuts, 14
or less elsewhere. The whole pictures that a poor encoder puts into moving ones reach 23."""

MOTION_COUNTED = 1.6
"""How much of the usual difference is added to it where pictures move: the third largest of the
other differences in the window. Chosen on those four episodes, big_buck_bunny and two clips of an
old film, each as it is and with one in two to five of its drawings, held or faster, as limited
animation has them: of 1,152 cuts 18 are missed, and 54 found where there are none, nearly all where
one in three or five is left and a wing sweeps over the whole picture. 1.0 makes 6 and 86, 2.0 makes
31 and 43; a multiple of the usual difference alone, 4, makes 31 and 64."""

OTHERS_ALLOWED = 2
"""Differences in the window that may be as large: a flash has two borders, as a short shot has."""

LEAST_CHANGE = 0.5
"""By how much of the difference every frame shortly after a cut differs from every one before."""

FLASH_FRAMES = 3
"""How long a flash is at most: an eighth of a second of film."""

WINDOW = 8
"""Frames before and after: a third of a second of film, or up to a second where frames are skipped.
Beside a drawing that is held for four frames it sees two such changes on each side."""

_EDGE = 2 * WINDOW + 1
"""Frames of each end that are needed to tell of those whose window reaches over it."""

Signatures = npt.NDArray[np.uint8]
"""(frames, SIGNATURE_BYTES)."""


@dataclass(frozen=True, eq=False)
class Frames:
    """The signatures of successive frames."""

    pts: tuple[int, ...]
    """Of each, ascending."""
    signatures: Signatures
    """Uint8 (frames, SIGNATURE_BYTES)."""

    def __post_init__(self) -> None:
        """Check order and shape, since this may come from a damaged process or file."""
        if self.signatures.shape != (len(self.pts), SIGNATURE_BYTES):
            raise ValueError(f"{len(self.pts)} frames, signatures {self.signatures.shape}")
        if any(before >= after for before, after in pairwise(self.pts)):
            raise ValueError("the pts of frames must ascend")

    @classmethod
    def none(cls) -> "Frames":
        """No frames."""
        return cls((), np.empty((0, SIGNATURE_BYTES), np.uint8))

    def __len__(self) -> int:
        """How many."""
        return len(self.pts)

    def __getitem__(self, part: slice) -> "Frames":
        """Some of them, in a row."""
        return Frames(self.pts[part], self.signatures[part])

    def __add__(self, later: "Frames") -> "Frames":
        """These, and those that follow."""
        return Frames(self.pts + later.pts, np.concatenate([self.signatures, later.signatures]))


@dataclass(frozen=True, eq=False)
class Cuts:
    """The cuts of a stretch of frames, as far as it tells by itself."""

    pts: tuple[int, ...]
    """Of the cuts that are certain: first frames of shots, ascending."""
    head: Frames
    """The first frames, whose cuts hang on what comes before; all frames where they are few."""
    tail: Frames
    """The last frames, whose cuts hang on what comes after; none where `head` is all."""

    @classmethod
    def among(cls, frames: Frames) -> "Cuts":
        """The cuts of successive frames."""
        if len(frames) <= 2 * _EDGE:
            return cls((), frames, Frames.none())
        return cls(_certain(frames), frames[:_EDGE], frames[-_EDGE:])

    def __add__(self, later: "Cuts") -> "Cuts":
        """The cuts of this stretch and the one that follows it."""
        between = (self.tail or self.head) + later.head
        if not self.tail and not later.tail:
            return Cuts.among(between)
        pts = self.pts + _certain(between) + later.pts
        head = self.head if self.tail else between[:_EDGE]
        return Cuts(pts, head, later.tail or between[-_EDGE:])

    def at_ends(self) -> tuple[int, ...]:
        """All cuts, if nothing comes before this stretch and nothing after it."""
        if not self.tail:
            return _found(self.head, range(1, len(self.head)))
        first = _found(self.head, range(1, WINDOW + 1))
        last = _found(self.tail, range(len(self.tail) - WINDOW, len(self.tail)))
        return first + self.pts + last

    def to_json(self) -> str:
        """As JSON: the cuts, and times and signatures of the frames at the ends."""
        ends = {name: _end_values(end) for name, end in (("head", self.head), ("tail", self.tail))}
        return json.dumps({"pts": self.pts, **ends}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Cuts":
        """Read what `to_json` wrote.

        Raises:
            ValueError: It is not that.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            pts = tuple(int(one) for one in values["pts"])
            return cls(pts, _end(values["head"]), _end(values["tail"]))
        except (KeyError, TypeError, AttributeError, ValueError, zlib.error) as error:
            raise ValueError(f"not the cuts of a chunk: {error}") from error


def joined_cuts(parts: Iterable[Cuts]) -> tuple[int, ...]:
    """The cuts of stretches that follow each other, with nothing before and nothing after."""
    return reduce(Cuts.__add__, parts, Cuts.among(Frames.none())).at_ends()


def _certain(frames: Frames) -> tuple[int, ...]:
    """The cuts among those frames whose whole window is there."""
    return _found(frames, range(WINDOW + 1, len(frames) - WINDOW))


def _found(frames: Frames, numbers: range) -> tuple[int, ...]:
    """Those of these frames (by number, from 1 on) that begin a shot."""
    if not numbers:
        return ()
    signatures = frames.signatures
    differences = np.zeros(len(frames))
    differences[1:] = _difference(signatures[1:], signatures[:-1])
    candidates = [i for i in numbers if differences[i] >= LEAST_DIFFERENCE]
    return tuple(frames.pts[i] for i in candidates if _is_cut(signatures, differences, i))


def _is_cut(signatures: Signatures, differences: npt.NDArray[np.float64], i: int) -> bool:
    window = differences[max(1, i - WINDOW) : i + WINDOW + 1]
    nearest = differences[max(1, i - FLASH_FRAMES) : i + FLASH_FRAMES + 1]
    if differences[i] < nearest.max():
        return False  # of frames that cut into each other the one that changes most
    usual = np.sort(window)[::-1][OTHERS_ALLOWED + 1 :][:1].sum()  # 0 where there are so few
    if differences[i] < LEAST_DIFFERENCE + MOTION_COUNTED * usual:
        return False
    before = signatures[max(0, i - 1 - FLASH_FRAMES) : i]
    after = signatures[i : i + 1 + FLASH_FRAMES]
    change = _difference(after[:, None], before[None]).min()
    return bool(change >= LEAST_CHANGE * differences[i])


def _difference(one: Signatures, other: Signatures) -> npt.NDArray[np.float64]:
    """Along the last axis, the mean absolute differences of Y, of Cb and of Cr, added up."""
    apart = np.abs(one.astype(np.int16) - other)
    luma = LUMA_SHAPE[0] * LUMA_SHAPE[1]
    chroma = CHROMA_SHAPE[0] * CHROMA_SHAPE[1]
    colour = apart[..., luma:].sum(-1) / chroma
    return np.asarray(apart[..., :luma].sum(-1) / luma + colour, np.float64)


def _end_values(end: Frames) -> dict[str, object]:
    # Changes from frame to frame, modulo 256: mostly near 0, so that they pack well.
    changes = np.diff(end.signatures, axis=0, prepend=np.zeros((1, SIGNATURE_BYTES), np.uint8))
    packed = base64.b64encode(zlib.compress(changes.tobytes()))
    return {"pts": end.pts, "signatures": packed.decode()}


def _end(values: dict[str, Any]) -> Frames:
    pts = tuple(int(one) for one in values["pts"])
    size = min(len(pts), 2 * _EDGE) * SIGNATURE_BYTES
    packed = base64.b64decode(values["signatures"], validate=True)
    unpacked = zlib.decompressobj().decompress(packed, size + 1)  # no more, whatever is in there
    changes = np.frombuffer(unpacked, np.uint8).reshape(-1, SIGNATURE_BYTES)
    return Frames(pts, np.cumsum(changes, axis=0, dtype=np.uint8))
