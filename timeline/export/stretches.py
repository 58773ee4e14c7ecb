"""Stretches of an episode with the same labels on screen."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from timeline.export.formats import ExportedTimeline


@dataclass(frozen=True, slots=True)
class Stretch:
    """The half-open range `start_pts <= pts < end_pts`, in which no label appears or disappears."""

    start_pts: int
    end_pts: int
    labels: tuple[str, ...]
    """Labels on screen, in alphabetical order."""
    is_examined: bool


def stretches(timeline: ExportedTimeline) -> list[Stretch]:
    """Return stretches from start to end of the episode, without gaps; no two alike in a row."""
    found: list[Stretch] = []
    for (labels, is_examined), alike in groupby(_pieces(timeline), key=lambda piece: piece[2:]):
        some = list(alike)
        found.append(Stretch(some[0][0], some[-1][1], labels, is_examined))
    return found


def _pieces(timeline: ExportedTimeline) -> Iterator[tuple[int, int, tuple[str, ...], bool]]:
    """Yield the time from each border to the next, counting labels as they appear and disappear."""
    changes = sorted(
        change
        for entry in timeline.entries
        for change in ((entry.start_pts, 1, entry.label), (entry.end_pts, -1, entry.label))
    )
    borders = {timeline.start_pts, timeline.end_pts, *(pts for pts, _, _ in changes)}
    borders.update(pts for each in timeline.unexamined for pts in each)
    on_screen: Counter[str] = Counter()
    next_change = 0
    for start_pts, end_pts in pairwise(sorted(borders)):
        while next_change < len(changes) and changes[next_change][0] <= start_pts:
            _, step, label = changes[next_change]
            on_screen[label] += step
            next_change += 1
        labels = tuple(sorted(label for label, count in on_screen.items() if count))
        unseen = any(start <= start_pts < end for start, end in timeline.unexamined)
        yield start_pts, end_pts, labels, bool(labels) or not unseen


def joined_to_last(parts: Sequence[Stretch], shortest_pts: float) -> list[list[Stretch]]:
    """Group stretches into parts of at least this length; the rest joins the last one."""
    groups: list[list[Stretch]] = []
    is_long = True
    for part in parts:
        if is_long:
            groups.append([])
        groups[-1].append(part)
        is_long = part.end_pts - groups[-1][0].start_pts >= shortest_pts
    if len(groups) > 1 and not is_long:
        groups[-2].extend(groups.pop())
    return groups
