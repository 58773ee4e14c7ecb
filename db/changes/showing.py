"""Changes of current runs: when a run ends or is asked for, and by promotions and rollbacks.

A change concerns one run or the runs of one model; other current runs stay. So a library that an
older version filled by another rule changes only where a user works on it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from db.library.current import best_runs, can_be_shown
from db.locks import lock_episodes, lock_model_versions
from db.schema import current_run, episode, run


def show_if_due(connection: Connection, run_id: int) -> None:
    """Make a run that ended or was asked for the current one, if the rule chooses it."""
    row = connection.execute(select(run.c.episode_id).where(run.c.id == run_id)).one()
    lock_episodes(connection, [row.episode_id])
    update_current_run(connection, row.episode_id, run_id)


def update_current_run(connection: Connection, episode_id: int, run_id: int) -> None:
    """Do the same for a run whose episode is locked; a run that failed is current no more."""
    lock_model_versions(connection, shared=True)
    best = best_runs(run.c.episode_id == episode_id)
    lost = select(run.c.id).where(run.c.id == run_id, ~can_be_shown())
    is_meant = (best.c.run_id == run_id) | current_run.c.run_id.in_(lost)
    _switch(connection, best, is_meant & (episode.c.id == episode_id))


def show_runs_of(connection: Connection, model_version_id: int) -> int:
    """Make the runs of a promoted model current; return the number of changed episodes."""
    best = best_runs()
    return _switch(connection, best, best.c.model_version_id == model_version_id)


def withdraw_runs_of(connection: Connection, model_version_id: int) -> int:
    """Replace current runs of a rolled back model; return the number of changed episodes."""
    of_model = select(run.c.id).where(run.c.model_version_id == model_version_id)
    return _switch(connection, best_runs(), current_run.c.run_id.in_(of_model))


def show_best_runs(connection: Connection, episode_ids: Sequence[int]) -> int:
    """Make the best runs of some locked episodes current; return the number of changes."""
    return _switch(connection, best_runs(), episode.c.id.in_(episode_ids))


def _switch(connection: Connection, best: Subquery, is_meant: ColumnElement[bool]) -> int:
    """Make the best runs current where the condition holds; return the number of changes."""
    rows = connection.execute(
        select(
            episode.c.id.label("of_episode"),
            current_run.c.run_id.label("before"),
            best.c.run_id.label("after"),
        )
        .outerjoin(current_run, current_run.c.episode_id == episode.c.id)
        .outerjoin(best, best.c.episode_id == episode.c.id)
        .where(is_meant, current_run.c.run_id.is_distinct_from(best.c.run_id))
    ).all()
    of_episode = current_run.c.episode_id == bindparam("of_episode")
    _each(
        connection,
        insert(current_run).values(episode_id=bindparam("of_episode"), run_id=bindparam("after")),
        [row._asdict() for row in rows if row.before is None],
    )
    _each(
        connection,
        update(current_run).where(of_episode).values(run_id=bindparam("after")),
        [row._asdict() for row in rows if row.before is not None and row.after is not None],
    )
    _each(
        connection,
        delete(current_run).where(of_episode),
        [row._asdict() for row in rows if row.after is None],
    )
    return len(rows)


def _each(connection: Connection, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)
