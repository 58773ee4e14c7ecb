"""Find what recurs in several episodes of a series: openings, credits. Pure.

Episodes come in their order and are compared with a few neighbours, since all pairs of hundreds
would take hours, and an opening recurs in the next episodes if at all. Only what is found in two
others recurs: a scene that a recap shows again is in one other.
"""

from collections import defaultdict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from timeline.repeats.matching import (
    SHORTEST,
    SampleRange,
    Samples,
    SharedStretch,
    shared_stretches,
)

NEIGHBOURS = 3
"""Episodes before and after each one with which it is compared: six in all, of which two suffice,
so that an opening is found at the end of a season, and where two openings alternate."""

COPY_SHARE = 0.8
"""Share of the shorter of two episodes that both share, from which they are copies of one episode:
nothing is learnt from that. Openings and credits are seldom a quarter, also of short episodes; a
copy cut for a broadcast keeps nine tenths."""

EpisodeT = TypeVar("EpisodeT", bound=Hashable)


@dataclass(frozen=True)
class Recurring(Generic[EpisodeT]):
    """A range of an episode that recurs."""

    samples: SampleRange
    """Half-open."""
    elsewhere: tuple[EpisodeT, ...]
    """The other episodes in which most of it was found, in order."""


class SeriesSearch(Generic[EpisodeT]):
    """Compares the episodes of a series one after the other."""

    def __init__(self) -> None:
        self._last: deque[tuple[EpisodeT, Samples]] = deque(maxlen=NEIGHBOURS)
        self._lengths: dict[EpisodeT, int] = {}
        self._shared: dict[EpisodeT, dict[EpisodeT, npt.NDArray[np.bool_]]] = defaultdict(dict)
        self.compared: dict[EpisodeT, int] = {}
        """With how many others each episode was compared."""
        self.copies: list[tuple[EpisodeT, EpisodeT]] = []
        """Pairs of copies of one episode, each in order."""

    def add(self, episode: EpisodeT, samples: Samples) -> None:
        """Compare the next episode with those before it."""
        self._lengths[episode] = len(samples)
        self.compared[episode] = len(self._last)
        for other, theirs in self._last:
            self.compared[other] += 1
            self._note(other, episode, theirs, samples)
        self._last.append((episode, samples))

    def found(self) -> dict[EpisodeT, list[Recurring[EpisodeT]]]:
        """Return for each episode what recurs, in order of time."""
        needed = 1 if self._different_episodes() < 3 else 2
        return {episode: self._recurring(episode, needed) for episode in self._lengths}

    def _note(self, one: EpisodeT, other: EpisodeT, ours: Samples, theirs: Samples) -> None:
        stretches = shared_stretches(ours, theirs)
        if _is_copy(stretches, ours, theirs):
            self.copies.append((one, other))
        elif stretches:
            self._shared[one][other] = _marked(len(ours), [each.one for each in stretches])
            self._shared[other][one] = _marked(len(theirs), [each.other for each in stretches])

    def _are_copies(self, one: EpisodeT, other: EpisodeT) -> bool:
        return (one, other) in self.copies or (other, one) in self.copies

    def _different_episodes(self) -> int:
        """Return the number of episodes, of which copies count once."""
        different: list[EpisodeT] = []
        for episode in self._lengths:
            if not any(self._are_copies(episode, one) for one in different):
                different.append(episode)
        return len(different)

    def _recurring(self, episode: EpisodeT, needed: int) -> list[Recurring[EpisodeT]]:
        shared = self._shared[episode]
        count = np.zeros(self._lengths[episode], np.int32)
        for number, other in enumerate(shared):
            is_new = shared[other].copy()
            for earlier in list(shared)[:number]:
                if self._are_copies(other, earlier):
                    is_new &= ~shared[earlier]
            count += is_new
        return [
            Recurring(
                (start, end),
                tuple(
                    other for other in shared if 2 * shared[other][start:end].sum() > end - start
                ),
            )
            for start, end in _ranges(count >= needed)
            if end - start >= SHORTEST
        ]


def _is_copy(stretches: list[SharedStretch], one: Samples, other: Samples) -> bool:
    """Tell whether the shorter of two episodes is nearly all in the other."""
    if len(one) > len(other):
        samples, ranges = other, [each.other for each in stretches]
    else:
        samples, ranges = one, [each.one for each in stretches]
    is_shared = _marked(len(samples), ranges)
    described = samples.is_described
    return bool((is_shared & described).sum() >= COPY_SHARE * max(described.sum(), 1))


def _marked(count: int, ranges: list[SampleRange]) -> npt.NDArray[np.bool_]:
    is_inside = np.zeros(count, np.bool_)
    for start, end in ranges:
        is_inside[start:end] = True
    return is_inside


def _ranges(is_inside: npt.NDArray[np.bool_]) -> list[SampleRange]:
    """Return the half-open ranges in which an array is true."""
    borders = np.flatnonzero(np.diff(np.concatenate([[False], is_inside, [False]])))
    return [(int(start), int(end)) for start, end in zip(borders[::2], borders[1::2], strict=True)]
