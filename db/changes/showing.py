"""How queries come to see another run: when a run ends or is asked for, and by promotions.

Each change shows one run or the runs of one model, or leaves them; what else queries see stays, so
that a library that an older version filled by another rule changes only where somebody works on it.
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
from db.schema import current_run, episode, model_version, run


def show_if_due(connection: Connection, run_id: int) -> None:
    """Lets queries see a run that ended or was asked for, if it is the one to see."""
    row = connection.execute(select(run.c.episode_id).where(run.c.id == run_id)).one()
    lock_episode(connection, row.episode_id)
    update_current_run(connection, row.episode_id, run_id)


def update_current_run(connection: Connection, episode_id: int, run_id: int) -> None:
    """The same of a run whose episode is locked; one that failed is seen no more."""
    lock_model_versions(connection, shared=True)
    best = best_runs(run.c.episode_id == episode_id)
    lost = select(run.c.id).where(run.c.id == run_id, ~can_be_shown())
    is_meant = (best.c.run_id == run_id) | current_run.c.run_id.in_(lost)
    _switch(connection, best, is_meant & (episode.c.id == episode_id))


def show_runs_of(connection: Connection, model_version_id: int) -> int:
    """Lets queries see the runs of the model that was promoted; returns of how many episodes."""
    best = best_runs()
    return _switch(connection, best, best.c.model_version_id == model_version_id)


def withdraw_runs_of(connection: Connection, model_version_id: int) -> int:
    """Lets queries see other runs, if there are, than those of the model that was rolled back."""
    of_model = select(run.c.id).where(run.c.model_version_id == model_version_id)
    return _switch(connection, best_runs(), current_run.c.run_id.in_(of_model))


def lock_episode(connection: Connection, episode_id: int) -> None:
    """Makes runs of one episode that end together take turns."""
    connection.execute(
        select(episode.c.id).where(episode.c.id == episode_id).with_for_update(key_share=True)
    )


def lock_model_versions(connection: Connection, *, shared: bool) -> None:
    """Makes promotions and the ends of runs wait for each other; those that share it do not.

    All rows, always in the same order: who takes them one by one may meet who comes from behind.
    """
    ordered = select(model_version.c.id).order_by(model_version.c.id)
    connection.execute(ordered.with_for_update(read=shared, key_share=not shared)).all()


def _switch(connection: Connection, best: Subquery, is_meant: ColumnElement[bool]) -> int:
    """Brings what is shown up to date where it is meant; returns of how many episodes."""
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
