"""Row locks on PostgreSQL, and the one order in which every transaction acquires them.

1. Episodes. Whoever creates, ends, corrects or removes a run holds its episode.
2. Runs. Several chunks of a run are changed only by who holds the run.
3. Model versions: all of them, shared by who creates or ends a run or removes runs, exclusively by
   who changes which model is in use, its thresholds or the set of models.
4. All other rows, such as `current_run` and `promotion`.

Rows of one table are locked by ascending id. Who needs a row out of order does not wait for it but
skips it where another transaction holds it: claims of chunks, and new thresholds. Rows that refer
to a locked run or episode can be inserted meanwhile, until its holder deletes it or changes its
key, which comes after step 3. Changes of a single row in a transaction of its own, such as the
renewal of a lease, need no order.

On SQLite a write transaction excludes all others from its beginning.
"""

from collections.abc import Collection

from sqlalchemy import Connection, Select, bindparam, or_, select

from db.schema import episode, model_version, repeat_elsewhere, run
from db.states import RunState


def lock_episodes(connection: Connection, episode_ids: Collection[int]) -> None:
    """Lock episodes: others create, end, correct and remove no runs of theirs meanwhile."""
    query = select(episode.c.id).where(episode.c.id.in_(episode_ids)).order_by(episode.c.id)
    connection.execute(query.with_for_update(key_share=True)).all()


def lock_episodes_of_runs(connection: Connection, run_ids: Collection[int]) -> None:
    """Lock the episodes of some runs."""
    connection.execute(_EPISODES_OF_RUNS, {"run_ids": list(run_ids)}).all()


_EPISODES_OF_RUNS = (
    select(episode.c.id)
    .where(
        episode.c.id.in_(
            select(run.c.episode_id).where(run.c.id.in_(bindparam("run_ids", expanding=True)))
        )
    )
    .order_by(episode.c.id)
    .with_for_update(key_share=True)
)


def lock_run(connection: Connection, run_id: int) -> RunState | None:
    """Lock a run's row, and return the run's state.

    None if the run is gone: cancelled and pruned while a worker was still busy with it.
    """
    return connection.execute(_RUN, {"run_id": run_id}).scalar_one_or_none()


_RUN = (
    select(run.c.state)
    .where(run.c.id == bindparam("run_id"))
    # Its key stays unchanged: rows that refer to the run need not wait.
    .with_for_update(key_share=True)
)


def lock_runs_of_episode(connection: Connection, episode_id: int) -> None:
    """Lock the runs of a locked episode, to which none is added meanwhile."""
    _lock_runs(connection, select(run.c.id).where(run.c.episode_id == episode_id))


def lock_runs(connection: Connection, run_ids: Collection[int]) -> None:
    """Lock runs, whose episodes are locked."""
    _lock_runs(connection, select(run.c.id).where(run.c.id.in_(run_ids)))


def _lock_runs(connection: Connection, query: Select[tuple[int]]) -> None:
    connection.execute(query.order_by(run.c.id).with_for_update(key_share=True)).all()


def lock_model_versions(connection: Connection, *, shared: bool) -> None:
    """Lock all model versions; shared locks do not exclude each other."""
    ordered = select(model_version.c.id).order_by(model_version.c.id)
    connection.execute(ordered.with_for_update(read=shared, key_share=not shared)).all()


def lock_repeats(connection: Connection, episode_id: int) -> None:
    """Lock what names a locked episode in repeats: removals of two that share one delete it."""
    table = repeat_elsewhere
    named = or_(table.c.episode_id == episode_id, table.c.other_id == episode_id)
    ordered = select(table).where(named).order_by(*table.primary_key.columns)
    connection.execute(ordered.with_for_update()).all()
