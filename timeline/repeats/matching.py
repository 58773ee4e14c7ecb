"""Find the stretches that two episodes share: pictures that are alike at a constant lag. Pure.

Both episodes are sampled at the same interval, each with a phase of its own: what is on display at
sample k of one is on display between samples k + lag and k + lag + 1 of the other. So sample k is
compared with both, and the better counts:

    one     . . a b c d e f . .       a matches a' or what follows it, at lag 2,
    other   . . . . a'b'c'd'e'f' .    as do b, c, d, e and f

A match counts 1 and a miss -1, as in an ungapped alignment of two sequences (Altschul et al. 1990,
"Basic local alignment search tool"): a stretch is a range whose sum cannot be increased at its
ends, and which ends where the sum falls by DROP below its highest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

SAMPLE_SECONDS = Fraction(1, 2)
"""Interval between samples: that of the frame store by default."""

SampleRange: TypeAlias = tuple[int, int]
"""Half-open range of sample numbers."""

SHORTEST = 18
"""Samples of the shortest stretch: 10 seconds, less one sample at either end, as the first and the
last may fall on what precedes or follows. The shortest openings of series last so long; stock
scenes and scenes in a recap mostly last less."""

LEAST_SCORE = 12
"""Matches less misses of a stretch: of 20 samples, 16 match. Of true ones, 19 in 20 do."""

DROP = 12
"""Fall of the sum at which a stretch ends: 6 seconds that differ are bridged, as a gag that changes
in each opening; most last 3 to 5."""

DENSE, DENSE_WITHIN = 12, 20
"""Only lags at which so many of so many successive samples match are examined, since in a stretch
of the least score more do: an examined lag takes a millisecond, and there are thousands."""

HELD, HELD_SHORTEST = 10, 40
"""A stretch is held if most of it matches itself 5 seconds later: such a picture matches at any
lag, so that the same background in two episodes looks like it. It must last 20 seconds; no shot of
a story is held for so long."""

MARGIN, LEAST_LIKENESS, MOST_LIKENESS = 0.05, 0.55, 0.9
"""Two samples match if they are as alike as the first is to its neighbours, less the margin: phases
differ by half a sample at most, so copies are at least as alike as neighbours. The least applies
where the picture changes entirely, the most where it is still, and leaves room for poor copies.
Measured on seven clips of cartoons and twice recompressed copies with another rate, phase, size,
brightness and a logo: 95 % match where pictures move slowly or not at all, 89 % where they change
fast; 1 % of samples of other clips do, and 0.1 % where pictures are still."""


@dataclass(frozen=True, eq=False)
class Samples:
    """The descriptions of an episode's samples, at SAMPLE_SECONDS."""

    vectors: npt.NDArray[np.float32]
    """float32 array of shape (samples, values), each of length 1, or 0 where nothing is described:
    the product of two is their likeness."""
    is_known: npt.NDArray[np.bool_]
    """Boolean array of shape (samples,): false where no frame was sampled."""

    def __post_init__(self) -> None:
        """Check the shapes."""
        if self.vectors.ndim != 2 or self.is_known.shape != self.vectors.shape[:1]:
            raise ValueError(f"vectors {self.vectors.shape}, known {self.is_known.shape}")

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.vectors)

    @property
    def is_described(self) -> npt.NDArray[np.bool_]:
        """Boolean array of shape (samples,): whether a sample says anything."""
        return np.asarray(self.vectors.any(1), np.bool_)

    @property
    def to_next(self) -> npt.NDArray[np.float32]:
        """Array of float32 of shape (samples - 1,): likeness of each sample and the next."""
        return _products(self.vectors[1:], self.vectors[:-1])

    @property
    def least_likeness(self) -> npt.NDArray[np.float32]:
        """float32 array of shape (samples,): likeness from which a sample matches another."""
        to_next = self.to_next
        to_neighbours = np.minimum(
            np.concatenate([to_next[:1], to_next]), np.concatenate([to_next, to_next[-1:]])
        )
        return np.asarray(
            np.clip(to_neighbours - MARGIN, LEAST_LIKENESS, MOST_LIKENESS), np.float32
        )


@dataclass(frozen=True)
class SharedStretch:
    """A stretch that two episodes share."""

    one: SampleRange
    """Its samples in the first episode."""
    other: SampleRange
    """Its samples in the other episode."""


def shared_stretches(one: Samples, other: Samples) -> list[SharedStretch]:
    """Return the stretches that two episodes share, the surest first."""
    if min(len(one), len(other)) < SHORTEST:
        return []
    likeness = one.vectors @ other.vectors.T
    there, back = _Matches(one, other, likeness), _Matches(other, one, likeness.T)
    candidates = [
        (score, lag, span)
        for lag in there.dense_lags()
        for *span, score in _segments(there.evidence(lag))
        if score >= LEAST_SCORE and _is_long_enough(one, span[0], span[1])
    ]
    found: list[SharedStretch] = []
    for _score, lag, (start, end) in sorted(candidates, reverse=True):
        theirs = back.around(start + lag, end + lag, lag)
        stretch = SharedStretch((start, end), theirs)
        if not any(_is_copy(stretch, better) for better in found):
            found.append(stretch)
    return found


class _Matches:
    """Which samples of one episode match which of another."""

    def __init__(self, one: Samples, other: Samples, likeness: npt.NDArray[np.float32]) -> None:
        self._likeness = likeness
        self._least = one.least_likeness
        # An undescribed sample agrees with another one: black matches black, but proves nothing.
        self._one, self._other = (
            np.where(each.is_known, np.where(each.is_described, 1, 0), -1) for each in (one, other)
        )

    def dense_lags(self) -> list[int]:
        """Return the lags at which many samples match close to each other."""
        is_alike = self._likeness >= self._least[:, None]
        count, width = is_alike.shape
        # In column j, whether a sample matches sample j - 1 or j.
        is_match = np.zeros((count, width + 1), np.bool_)
        is_match[:, 1:] = is_alike
        is_match[:, :-1] |= is_alike
        rows, columns = np.nonzero(is_match)
        # One number for each lag and sample; samples of different lags are far apart.
        keys = np.sort((columns - rows + count) * (count + DENSE_WITHIN) + rows)
        is_dense = keys[DENSE - 1 :] - keys[: 1 - DENSE] < DENSE_WITHIN
        lags = keys[: 1 - DENSE][is_dense] // (count + DENSE_WITHIN) - count
        return [int(lag) - 1 for lag in np.unique(lags)]

    def evidence(self, lag: int, first: int = 0, past: int | None = None) -> list[int]:
        """Return 1, -1 or, where a sample says nothing, 0 for each sample of the first episode."""
        count, width = self._likeness.shape
        past = count if past is None else min(past, count)
        start, end = max(first, -lag - 1, 0), max(min(past, width - lag), 0)
        values = np.zeros(max(past - first, 0), np.int8)
        if start < end:
            rows = np.arange(start, end)
            before, after = (np.clip(rows + each, 0, width - 1) for each in (lag, lag + 1))
            likeness = np.maximum(self._likeness[rows, before], self._likeness[rows, after])
            ours, theirs = self._one[rows], self._other[before]
            says_nothing = (ours < 0) | (theirs < 0) | (ours + theirs == 0)
            values[start - first : end - first] = np.where(
                likeness >= self._least[rows], 1, np.where(says_nothing, 0, -1)
            )
        return [int(value) for value in values]

    def around(self, start: int, end: int, lag: int) -> SampleRange:
        """Return the stretch of this episode that was found at [start, end), to the sample.

        The lag is that of the other episode, whose samples lie between two of this one's.
        """
        first = max(start - DROP, 0)
        evidence = self.evidence(-lag - 1, first, end + DROP)
        best = max(_segments(evidence), key=lambda each: each[2], default=None)
        if best is None:
            return max(start, 0), min(end, len(self._one))
        return first + best[0], first + best[1]


def _segments(evidence: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield the half-open ranges whose sum cannot be increased at their ends, with the sum."""
    place = 0
    while place < len(evidence):
        if evidence[place] <= 0:
            place += 1
            continue
        start = end = place
        total = highest = 0
        while place < len(evidence) and total > highest - DROP and (total > 0 or place == start):
            total += evidence[place]
            place += 1
            if total > highest:
                highest, end = total, place
        yield start, end, highest
        place = end


def _is_long_enough(samples: Samples, start: int, end: int) -> bool:
    if not SHORTEST <= end - start < HELD_SHORTEST:
        return end - start >= HELD_SHORTEST
    now, later = samples.vectors[start : end - HELD], samples.vectors[start + HELD : end]
    is_same = _products(now, later) >= samples.least_likeness[start : end - HELD]
    says_something = now.any(1) & later.any(1)
    return 2 * int(is_same.sum()) <= int(says_something.sum())


def _products(
    one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    return np.asarray(np.einsum("nv,nv->n", one, other), np.float32)


def _is_copy(one: SharedStretch, better: SharedStretch) -> bool:
    """Tell whether a stretch is a better one at a neighbouring lag."""
    return _mostly_inside(one.one, better.one) or _mostly_inside(one.other, better.other)


def _mostly_inside(one: SampleRange, other: SampleRange) -> bool:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return 2 * shared > one[1] - one[0]
