"""Repeats: ranges of episodes that recur in other episodes of their series, such as openings."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    FromClause,
    Select,
    Subquery,
    case,
    cast,
    func,
    null,
    select,
    union_all,
)

from db.library.layers import Layer
from db.schema import episode, repeat, repeat_elsewhere, repeat_search, run
from exact.ranges import PtsRanges


@dataclass(frozen=True)
class RepeatRecord:
    """A range that recurs, and the episodes in which it was found, too."""

    start_pts: int
    end_pts: int
    elsewhere: tuple[int, ...]
    """Numbers of the other episodes."""


@dataclass(frozen=True)
class RepeatSearch:
    """What the last search found in an episode."""

    repeats: tuple[RepeatRecord, ...]
    """In order of time; they neither overlap nor touch."""
    compared: int
    """Number of other episodes with which it was compared."""
    searched_at: datetime


def repeat_searches(
    connection: Connection, episode_ids: Collection[int] | None = None
) -> dict[int, RepeatSearch]:
    """Return by episode what the last search found; only in these, or in all that were searched."""
    elsewhere: dict[tuple[int, int], list[int]] = defaultdict(list)
    query = select(repeat_elsewhere).order_by(repeat_elsewhere.c.other_id)
    for row in connection.execute(_of(query, repeat_elsewhere, episode_ids)):
        elsewhere[row.episode_id, row.start_pts].append(row.other_id)
    repeats: dict[int, list[RepeatRecord]] = defaultdict(list)
    query = select(repeat).order_by(repeat.c.start_pts)
    for row in connection.execute(_of(query, repeat, episode_ids)):
        others = tuple(elsewhere[row.episode_id, row.start_pts])
        repeats[row.episode_id].append(RepeatRecord(row.start_pts, row.end_pts, others))
    searches = connection.execute(_of(select(repeat_search), repeat_search, episode_ids)).all()
    return {
        row.episode_id: RepeatSearch(
            tuple(repeats.get(row.episode_id, ())), row.compared, row.searched_at
        )
        for row in searches
    }


def repeat_ranges(connection: Connection, episode_ids: Collection[int]) -> dict[int, PtsRanges]:
    """Return the repeats of those of these episodes that have any, as sets of pts ranges."""
    found: dict[int, PtsRanges] = {}
    query = select(repeat).order_by(repeat.c.start_pts)
    for row in connection.execute(_of(query, repeat, episode_ids)):
        found[row.episode_id] = (*found.get(row.episode_id, ()), (row.start_pts, row.end_pts))
    return found


def _of(query: Select[Any], table: FromClause, episode_ids: Collection[int] | None) -> Select[Any]:
    return query if episode_ids is None else query.where(table.c.episode_id.in_(episode_ids))


def without_repeats(layer: Layer, run_id: int | None) -> Layer:
    """Return a layer in which repeats are cut out of appearances, and do not count in totals.

    Episodes without repeats keep their stored rows. Of the others, a piece of an appearance keeps
    the frames and confidences of the whole.

    Args:
        layer: The layer with repeats.
        run_id: Only the rows of this run, which is faster to read; None for all.
    """
    with_repeats = select(run.c.id).where(run.c.episode_id.in_(select(repeat.c.episode_id)))

    def or_stored(stored: FromClause, computed: Select[Any], name: str) -> Subquery:
        whole = select(stored).where(stored.c.run_id.not_in(with_repeats))
        if run_id is not None:
            whole = whole.where(stored.c.run_id == run_id)
        return union_all(whole, computed).subquery(name)

    pieces = _pieces(layer.appearance, run_id)
    return Layer(
        or_stored(layer.appearance, pieces, "appearance"),
        or_stored(layer.run_label, _totals_of_labels(pieces.subquery("piece")), "run_label"),
        _totals_of_pairs(layer, run_id),
    )


def _pieces(appearance: FromClause, run_id: int | None) -> Select[Any]:
    """Select the pieces of appearances between repeats, in episodes that have repeats."""
    kept = _between_repeats()
    starts_later = kept.c.start_pts > appearance.c.start_pts
    ends_earlier = kept.c.end_pts < appearance.c.end_pts
    cut = {
        "start_pts": _later(appearance.c.start_pts, kept.c.start_pts),
        "end_pts": _earlier(appearance.c.end_pts, kept.c.end_pts),
        "start_seconds": case(
            (starts_later, _seconds_at(kept.c.start_pts)), else_=appearance.c.start_seconds
        ),
        "end_seconds": case(
            (ends_earlier, _seconds_at(kept.c.end_pts)), else_=appearance.c.end_seconds
        ),
    }
    columns = [
        cut[column.name].label(column.name) if column.name in cut else column
        for column in appearance.c
    ]
    query = (
        select(*columns)
        .select_from(appearance)
        .join(kept, kept.c.episode_id == appearance.c.episode_id)
        .join(episode, episode.c.id == appearance.c.episode_id)
        .where(_overlaps(kept, appearance.c.start_pts, appearance.c.end_pts))
    )
    return query if run_id is None else query.where(appearance.c.run_id == run_id)


def _later(time: ColumnElement[int], other: ColumnElement[int]) -> ColumnElement[int]:
    """The later of two times, of which the other may be null."""
    return case((other > time, other), else_=time)


def _earlier(time: ColumnElement[int], other: ColumnElement[int]) -> ColumnElement[int]:
    return case((other < time, other), else_=time)


def _overlaps(
    kept: Subquery, start_pts: ColumnElement[int], end_pts: ColumnElement[int]
) -> ColumnElement[bool]:
    return (kept.c.start_pts.is_(None) | (kept.c.start_pts < end_pts)) & (
        kept.c.end_pts.is_(None) | (kept.c.end_pts > start_pts)
    )


def _between_repeats() -> Subquery:
    """Select what lies before, between and after the repeats of each episode that has any.

    Null borders stand for the ends of the episode.
    """
    first = select(
        repeat.c.episode_id,
        null().label("start_pts"),
        func.min(repeat.c.start_pts).label("end_pts"),
    ).group_by(repeat.c.episode_id)
    following = func.lead(repeat.c.start_pts).over(
        partition_by=repeat.c.episode_id, order_by=repeat.c.start_pts
    )
    others = select(
        repeat.c.episode_id, repeat.c.end_pts.label("start_pts"), following.label("end_pts")
    )
    return union_all(others, first).subquery("kept")


def _seconds_at(pts: ColumnElement[int]) -> ColumnElement[float]:
    """Seconds from the first frame: both sides of the division are exact, so it rounds once."""
    units = cast((pts - episode.c.start_pts) * episode.c.time_base_num, Float(53))
    return units / cast(episode.c.time_base_den, Float(53))


def _totals_of_labels(cut: Subquery) -> Select[Any]:
    return select(
        cut.c.run_id,
        cut.c.label,
        func.count().label("appearances"),
        func.sum(cut.c.end_seconds - cut.c.start_seconds).label("seconds"),
        func.min(cut.c.start_pts).label("first_pts"),
    ).group_by(cut.c.run_id, cut.c.label)


def _totals_of_pairs(layer: Layer, run_id: int | None) -> Subquery:
    """Select the stored totals, less what lies in repeats."""
    less = _pairs_in_repeats(layer, run_id)
    stored = layer.run_pair
    times = stored.c.times + func.coalesce(less.c.times, 0)
    query = (
        select(
            stored.c.run_id,
            stored.c.label,
            stored.c.other,
            times.label("times"),
            (stored.c.seconds - func.coalesce(less.c.seconds, 0.0)).label("seconds"),
        )
        .select_from(stored)
        .outerjoin(
            less,
            (less.c.run_id == stored.c.run_id)
            & (less.c.label == stored.c.label)
            & (less.c.other == stored.c.other),
        )
        .where(times > 0)
    )
    return (query if run_id is None else query.where(stored.c.run_id == run_id)).subquery(
        "run_pair"
    )


def _pairs_in_repeats(layer: Layer, run_id: int | None) -> Subquery:
    """Select the seconds that pairs share in repeats, and by how many times repeats change times.

    A repeat that covers what two appearances share takes one time away; one inside it adds one.
    """
    one, other = layer.appearance.alias("one"), layer.appearance.alias("other")
    stored = layer.run_pair
    start = _later(one.c.start_pts, other.c.start_pts)
    end = _earlier(one.c.end_pts, other.c.end_pts)
    change = case(
        ((repeat.c.start_pts <= start) & (repeat.c.end_pts >= end), -1),
        ((repeat.c.start_pts > start) & (repeat.c.end_pts < end), 1),
        else_=0,
    )
    pts = _earlier(end, repeat.c.end_pts) - _later(start, repeat.c.start_pts)
    units = cast(func.sum(pts * episode.c.time_base_num), Float(53))
    query = (
        select(
            stored.c.run_id,
            stored.c.label,
            stored.c.other,
            func.sum(change).label("times"),
            (units / cast(func.max(episode.c.time_base_den), Float(53))).label("seconds"),
        )
        .select_from(repeat)
        .join(episode, episode.c.id == repeat.c.episode_id)
        .join(run, run.c.episode_id == repeat.c.episode_id)
        .join(one, (one.c.run_id == run.c.id) & _meet(one, repeat))
        .join(other, (other.c.run_id == run.c.id) & _meet(other, repeat) & _meet(other, one))
        .join(
            stored,
            (stored.c.run_id == run.c.id)
            & (stored.c.label == one.c.label)
            & (stored.c.other == other.c.label),
        )
        .group_by(stored.c.run_id, stored.c.label, stored.c.other)
    )
    return (query if run_id is None else query.where(run.c.id == run_id)).subquery("less")


def _meet(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return (one.c.start_pts < other.c.end_pts) & (one.c.end_pts > other.c.start_pts)
