"""Removal on a user's request: episodes, and model versions, with all their runs."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from db.changes.pruning import delete_models, delete_runs
from db.changes.showing import show_best_runs
from db.locks import lock_episodes_of_runs, lock_model_versions, lock_repeats, lock_runs
from db.schema import current_run, episode, former_name, model_version, replaced_run, run


def runs_of_episodes(connection: Connection, episode_ids: Sequence[int]) -> list[int]:
    """Return the numbers of all runs over some episodes, oldest first."""
    query = select(run.c.id).where(run.c.episode_id.in_(episode_ids)).order_by(run.c.id)
    return [int(run_id) for run_id in connection.execute(query).scalars()]


def remove_episode(connection: Connection, episode_id: int) -> None:
    """Remove an episode with its runs and names; do nothing if it is gone."""
    connection.execute(select(episode.c.id).where(episode.c.id == episode_id).with_for_update())
    run_ids = runs_of_episodes(connection, [episode_id])
    lock_runs(connection, run_ids)
    lock_model_versions(connection, shared=True)
    lock_repeats(connection, episode_id)
    delete_runs(connection, run_ids)
    for table in (former_name, replaced_run):
        connection.execute(delete(table).where(table.c.episode_id == episode_id))
    connection.execute(delete(episode).where(episode.c.id == episode_id))


def runs_of_model(connection: Connection, sha256: str) -> list[int]:
    """Return the numbers of all runs of a model version, oldest first."""
    query = (
        select(run.c.id)
        .join(model_version, model_version.c.id == run.c.model_version_id)
        .where(model_version.c.sha256 == sha256)
        .order_by(run.c.id)
    )
    return [int(run_id) for run_id in connection.execute(query).scalars()]


def episodes_showing(connection: Connection, run_ids: Sequence[int]) -> list[int]:
    """Return the episodes of which one of these runs is current."""
    query = select(current_run.c.episode_id).where(current_run.c.run_id.in_(run_ids))
    return [int(episode_id) for episode_id in connection.execute(query).scalars()]


def remove_runs_of_model(connection: Connection, run_ids: Sequence[int]) -> None:
    """Remove runs; episodes that showed them show the best of the runs that are left."""
    lock_episodes_of_runs(connection, run_ids)
    lock_runs(connection, run_ids)
    lock_model_versions(connection, shared=True)
    showing = episodes_showing(connection, run_ids)
    delete_runs(connection, run_ids)
    show_best_runs(connection, showing)


def remove_model(connection: Connection, sha256: str) -> None:
    """Remove a model version without runs; do nothing if it is gone."""
    lock_model_versions(connection, shared=False)
    delete_models(connection, [sha256])
