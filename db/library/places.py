"""The places of tags in the picture, as questions need them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, FromClause, Row, Select, case, func, select

from db.failures import reading_rows
from db.library.layers import CORRECTED, Layer
from db.records import TagRecord
from db.schema import tag
from exact.place import Place

_COLUMNS = (tag.c.place_x, tag.c.place_y, tag.c.place_width, tag.c.place_height)


def place_record(row: Row[*tuple[Any, ...]]) -> Place | None:
    """Return the place from a row with its columns; None where they are null."""
    if row.place_x is None:
        return None
    return Place(row.place_x, row.place_y, row.place_width, row.place_height)


def tag_record(row: Row[*tuple[Any, ...]]) -> TagRecord:
    """Return a tag from a row with its columns."""
    return TagRecord(row.pts, row.label, row.region, row.confidence, row.seconds, place_record(row))


def with_places(
    appearances: Select[Any],
    at_seconds: float | None = None,
    appearance: FromClause = CORRECTED.appearance,
) -> Select[Any]:
    """Extend a selection of appearances by the place of one of its tags each.

    Args:
        appearances: A selection of their columns, and `episode`; sorted by its name and id, start
            and label.
        at_seconds: Use the latest tag until then, or else the first one; None for the most
            confident, the earliest of equals.
        appearance: The layer from which they are selected.
    """
    inside = select(tag.c.pts).where(
        tag.c.run_id == appearance.c.run_id,
        tag.c.label == appearance.c.label,
        tag.c.pts >= appearance.c.start_pts,
        tag.c.pts < appearance.c.end_pts,
    )
    if at_seconds is None:
        inside = inside.order_by(tag.c.confidence.desc(), tag.c.pts)
    else:
        # An appearance may begin, with its shot, before its first sample.
        is_later = case((tag.c.seconds <= at_seconds, 0), else_=1)
        inside = inside.order_by(is_later, func.abs(tag.c.seconds - at_seconds))
    chosen = inside.limit(1).correlate(appearance).scalar_subquery()
    # The inner order keeps PostgreSQL from searching the tag again for each joined row.
    found = appearances.add_columns(chosen.label("seen_pts")).subquery("found")
    return (
        select(found, *_COLUMNS)
        .outerjoin(
            tag,
            (tag.c.run_id == found.c.run_id)
            & (tag.c.pts == found.c.seen_pts)
            & (tag.c.label == found.c.label),
        )
        .order_by(found.c.episode, found.c.episode_id, found.c.start_pts, found.c.label)
    )


@reading_rows()
def tags_of_appearances(
    connection: Connection, run_id: int, layer: Layer = CORRECTED
) -> list[TagRecord]:
    """Return the tags of a run that lie within an appearance of their label, by pts and label."""
    appearance = layer.appearance
    rows = connection.execute(
        select(tag)
        .join(
            appearance,
            (appearance.c.run_id == tag.c.run_id)
            & (appearance.c.label == tag.c.label)
            & (appearance.c.start_pts <= tag.c.pts)
            & (appearance.c.end_pts > tag.c.pts),
        )
        .where(tag.c.run_id == run_id)
        .order_by(tag.c.pts, tag.c.label)
    )
    return [tag_record(row) for row in rows.all()]


@reading_rows()
def surest_place(
    connection: Connection, run_ids: Collection[int], label: str, pts: int
) -> Place | None:
    """Return the place of a label in one frame by the most confident of some runs, or None."""
    row = connection.execute(
        select(*_COLUMNS)
        .where(tag.c.run_id.in_(run_ids), tag.c.pts == pts, tag.c.label == label)
        .order_by(tag.c.confidence.desc())
        .limit(1)
    ).first()
    return None if row is None else place_record(row)
