"""Totals of a run's appearances: per label, and per pair of labels on screen together."""

from sqlalchemy import Connection, Float, Table, case, cast, delete, func, insert, select

from db.schema import episode


def add_up_run(
    connection: Connection, run_id: int, appearance: Table, run_label: Table, run_pair: Table
) -> None:
    """Replace the totals of a run, in the transaction that wrote its appearances.

    Args:
        connection: A connection inside that transaction.
        run_id: The run.
        appearance: The table that holds its appearances.
        run_label: To write to.
        run_pair: To write to.
    """
    for table in (run_label, run_pair):
        connection.execute(delete(table).where(table.c.run_id == run_id))
    per_label = (
        select(
            appearance.c.run_id,
            appearance.c.label,
            func.count(),
            func.sum(appearance.c.end_seconds - appearance.c.start_seconds),
            func.min(appearance.c.start_pts),
        )
        .where(appearance.c.run_id == run_id)
        .group_by(appearance.c.run_id, appearance.c.label)
    )
    names = ["run_id", "label", "appearances", "seconds", "first_pts"]
    connection.execute(insert(run_label).from_select(names, per_label))
    one, other = appearance.alias("one"), appearance.alias("other")
    start_pts = case(
        (one.c.start_pts > other.c.start_pts, one.c.start_pts), else_=other.c.start_pts
    )
    end_pts = case((one.c.end_pts < other.c.end_pts, one.c.end_pts), else_=other.c.end_pts)
    time_base = cast(episode.c.time_base_num, Float) / episode.c.time_base_den
    # Pairs are sorted by code points, which is not every server's order.
    code_points = "C" if connection.dialect.name == "postgresql" else "BINARY"
    per_pair = (
        select(
            one.c.run_id,
            one.c.label,
            other.c.label,
            func.count(),
            func.sum(end_pts - start_pts) * func.min(time_base),
        )
        .join(other, one.c.run_id == other.c.run_id)
        .join(episode, episode.c.id == one.c.episode_id)
        .where(
            one.c.run_id == run_id,
            one.c.label.collate(code_points) < other.c.label,
            one.c.start_pts < other.c.end_pts,
            other.c.start_pts < one.c.end_pts,
        )
        .group_by(one.c.run_id, one.c.label, other.c.label)
    )
    names = ["run_id", "label", "other", "times", "seconds"]
    connection.execute(insert(run_pair).from_select(names, per_pair))
