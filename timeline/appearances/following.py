"""Decide when one label is active inside one shot, and follow it from sample to sample.

A shot shows more or less the same characters from its first frame to its last. So a character seen
again at about the same place was there in between, with a turned head; and a character seen in one
sample of many was hardly there, unless the classifier is very sure. Pure and deterministic.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from exact.place import Place
from timeline.appearances.looks import Look
from timeline.appearances.rules import Rules, ShotRules

Run = tuple[int, int]
"""The first and the last look, both inclusive, as indices into a list of looks."""


class Sight(NamedTuple):
    """The classification of one label in one look."""

    confidence: float
    place: Place | None


Sights = Mapping[int, Sight]
"""By the number of the look; the confidence is 0 where a number is missing."""


@dataclass(frozen=True, slots=True)
class Durations:
    """The durations of rules in whole pts, for integer comparisons equal to the exact ones."""

    shortest_pts: int
    """Runs shorter than this are short."""
    filled_pts: int
    """Gaps shorter than this are filled."""
    linked_pts: int
    """The longest gap over which a place is followed."""

    @classmethod
    def of(cls, rules: Rules, time_base: Fraction) -> "Durations":
        """Return the durations of these rules, given the seconds per pts unit."""
        return cls(
            ceil(rules.min_duration_on_seconds / time_base),
            ceil(rules.min_duration_off_seconds / time_base),
            floor(rules.shots.link_seconds / time_base) if rules.shots else 0,
        )


@dataclass(frozen=True)
class Followed:
    """A label to follow, and the other labels in the same looks."""

    sights: Sights
    others: Mapping[int, Sequence[tuple[str, Place]]]
    """Labels that reach their onset, including this one, with their places, by the number of the
    look."""
    label: str
    durations: Durations
    rules: Rules


def active_runs(looks: Sequence[Look], sights: Sights, onset: float, offset: float) -> list[Run]:
    """Apply hysteresis: active from the onset until below the offset, or until a missing range."""
    runs: list[Run] = []
    is_active = False
    for i, look in enumerate(looks):
        sight = sights.get(look.number)
        confidence = sight.confidence if sight else 0.0
        goes_on = is_active and look.follows
        is_active = confidence >= (offset if goes_on else onset)
        if is_active and goes_on:
            runs[-1] = runs[-1][0], i
        elif is_active:
            runs.append((i, i))
    return runs


def runs_in_shot(looks: Sequence[Look], label: Followed, shots: ShotRules) -> Iterator[Run]:
    """Yield when a label is on screen in a shot, given all looks of the shot.

    1. Apply hysteresis with onset and offset.
    2. Follow each run back while the label reaches the offset at about the same place.
    3. Fill gaps that are short, and gaps over which the place of the label was followed.
    4. Drop short runs, unless they fill the shot or their confidence is very high.
    """
    runs = active_runs(looks, label.sights, *label.rules.thresholds(label.label))
    runs = [(_followed_back(looks, label, first), last) for first, last in runs]
    for first, last in _filled(looks, runs, label):
        fills_shot = (first, last) == (0, len(looks) - 1)
        is_long = looks[last].until_pts - looks[first].pts >= label.durations.shortest_pts
        numbers = [look.number for look in looks[first : last + 1] if look.number in label.sights]
        is_sure = max(label.sights[number].confidence for number in numbers) >= shots.sure
        if fills_shot or is_long or is_sure:
            yield first, last


def _followed_back(looks: Sequence[Look], label: Followed, first: int) -> int:
    """Return the first look of a run, extended back over looks that did not reach the onset."""
    _, offset = label.rules.thresholds(label.label)
    while first > 0 and looks[first].follows:
        here, before = (label.sights.get(looks[i].number) for i in (first, first - 1))
        if before is None or before.confidence < offset or not _same_place(here, before):
            break
        first -= 1
    return first


def _filled(looks: Sequence[Look], runs: Sequence[Run], label: Followed) -> Iterator[Run]:
    """Join runs across gaps in which the label was present."""
    current: Run | None = None
    for first, last in runs:
        if current is not None:
            gap = looks[first].pts - looks[current[1]].until_pts
            is_whole = all(look.follows for look in looks[current[1] + 1 : first + 1])
            is_linked = gap <= label.durations.linked_pts and _is_followed(
                looks, label, current[1], first
            )
            if is_whole and (gap < label.durations.filled_pts or is_linked):
                current = current[0], last
                continue
            yield current
        current = first, last
    if current is not None:
        yield current


def _is_followed(looks: Sequence[Look], label: Followed, last: int, first: int) -> bool:
    """Tell whether a label's place leads from one look to a later one, free of other labels."""
    at = label.sights[looks[last].number]
    for look in looks[last + 1 : first]:
        sight = label.sights.get(look.number)
        if _same_place(at, sight):
            assert sight is not None
            at = sight
        elif _is_taken(look.number, at.place, label):
            return False
    return _same_place(at, label.sights[looks[first].number])


def _is_taken(number: int, place: Place | None, label: Followed) -> bool:
    there = label.others.get(number, ())
    return place is not None and any(
        other != label.label and at.is_about(place) for other, at in there
    )


def _same_place(one: Sight | None, other: Sight | None) -> bool:
    if one is None or other is None or one.place is None or other.place is None:
        return False
    return one.place.is_about(other.place)
