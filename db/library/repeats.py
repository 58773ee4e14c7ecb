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
from exact.ranges import PtsRange, PtsRanges


@dataclass(frozen=True)
class RepeatRecord:
    """A range that recurs, and the episodes in which it was found, too."""

    start_pts: int
    end_pts: int
    elsewhere: tuple[int, ...]
    """Numbers of the other episodes."""

    @property
    def range(self) -> PtsRange:
        """Half-open."""
        return self.start_pts, self.end_pts


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


def without_repeats(layer: Layer) -> Layer:
    """Return a layer in which repeats are cut out of appearances, and do not count in totals.

    Episodes without repeats keep their stored rows. Of the others, a piece of an appearance keeps
    the frames and confidences of the whole.
    """
    appearance = _cut(layer.appearance)
    with_repeats = select(run.c.id).where(run.c.episode_id.in_(select(repeat.c.episode_id)))
    return Layer(
        _or_stored(
            layer.appearance,
            layer.appearance.c.episode_id.not_in(select(repeat.c.episode_id)),
            select(appearance),
            "appearance",
        ),
        _or_stored(
            layer.run_label,
            layer.run_label.c.run_id.not_in(with_repeats),
            _totals_of_labels(appearance),
            "run_label",
        ),
        _or_stored(
            layer.run_pair,
            layer.run_pair.c.run_id.not_in(with_repeats),
            _totals_of_pairs(layer.run_pair, appearance),
            "run_pair",
        ),
    )


def _or_stored(
    stored: FromClause, is_whole: ColumnElement[bool], computed: Select[Any], name: str
) -> Subquery:
    return union_all(select(stored).where(is_whole), computed).subquery(name)


def _cut(appearance: FromClause) -> Subquery:
    """Select the pieces of appearances between repeats, in episodes that have repeats."""
    kept = _between_repeats()
    starts_later = kept.c.start_pts > appearance.c.start_pts
    ends_earlier = kept.c.end_pts < appearance.c.end_pts
    cut = {
        "start_pts": case((starts_later, kept.c.start_pts), else_=appearance.c.start_pts),
        "end_pts": case((ends_earlier, kept.c.end_pts), else_=appearance.c.end_pts),
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
    return (
        select(*columns)
        .select_from(appearance)
        .join(kept, kept.c.episode_id == appearance.c.episode_id)
        .join(episode, episode.c.id == appearance.c.episode_id)
        .where(
            kept.c.start_pts.is_(None) | (kept.c.start_pts < appearance.c.end_pts),
            kept.c.end_pts.is_(None) | (kept.c.end_pts > appearance.c.start_pts),
        )
        .subquery("cut")
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


def _totals_of_pairs(run_pair: FromClause, cut: Subquery) -> Select[Any]:
    """Select the totals of the pieces; the stored rows tell which pairs there may be."""
    one, other = cut.alias("one"), cut.alias("other")
    start = case((one.c.start_pts > other.c.start_pts, one.c.start_pts), else_=other.c.start_pts)
    end = case((one.c.end_pts < other.c.end_pts, one.c.end_pts), else_=other.c.end_pts)
    pts = func.sum((end - start) * episode.c.time_base_num)
    return (
        select(
            run_pair.c.run_id,
            run_pair.c.label,
            run_pair.c.other,
            func.count().label("times"),
            (cast(pts, Float(53)) / cast(func.max(episode.c.time_base_den), Float(53))).label(
                "seconds"
            ),
        )
        .select_from(run_pair)
        .join(one, (one.c.run_id == run_pair.c.run_id) & (one.c.label == run_pair.c.label))
        .join(
            other,
            (other.c.run_id == run_pair.c.run_id)
            & (other.c.label == run_pair.c.other)
            & (other.c.start_pts < one.c.end_pts)
            & (other.c.end_pts > one.c.start_pts),
        )
        .join(episode, episode.c.id == one.c.episode_id)
        .group_by(run_pair.c.run_id, run_pair.c.label, run_pair.c.other)
    )
