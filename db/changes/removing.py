"""What people remove: episodes, and model versions, with all their runs."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from db.changes.pruning import delete_models, delete_runs
from db.library.current import lock_episode, switch_current_run
from db.schema import current_run, episode, former_name, model_version, replaced_run, run
from db.states import ENDED_RUN_STATES


def runs_of_episodes(connection: Connection, episode_ids: Sequence[int]) -> list[int]:
    """All runs over some episodes, oldest first."""
    query = select(run.c.id).where(run.c.episode_id.in_(episode_ids)).order_by(run.c.id)
    return [int(run_id) for run_id in connection.execute(query).scalars()]


def remove_episode(connection: Connection, episode_id: int) -> None:
    """Removes an episode with its runs and names; harmless if it is gone already."""
    # First the runs, then the episode: as those do who end a run.
    connection.execute(
        select(run.c.id).where(run.c.episode_id == episode_id).order_by(run.c.id).with_for_update()
    ).all()
    connection.execute(select(episode.c.id).where(episode.c.id == episode_id).with_for_update())
    delete_runs(connection, runs_of_episodes(connection, [episode_id]))
    for table in (former_name, replaced_run):
        connection.execute(delete(table).where(table.c.episode_id == episode_id))
    connection.execute(delete(episode).where(episode.c.id == episode_id))


def runs_of_model(connection: Connection, sha256: str) -> list[int]:
    """All runs of a model version, oldest first."""
    query = (
        select(run.c.id)
        .join(model_version, model_version.c.id == run.c.model_version_id)
        .where(model_version.c.sha256 == sha256)
        .order_by(run.c.id)
    )
    return [int(run_id) for run_id in connection.execute(query).scalars()]


def episodes_showing(connection: Connection, run_ids: Sequence[int]) -> list[int]:
    """The episodes of which queries see one of these runs."""
    query = select(current_run.c.episode_id).where(current_run.c.run_id.in_(run_ids))
    return [int(episode_id) for episode_id in connection.execute(query).scalars()]


def remove_runs_of_model(connection: Connection, run_ids: Sequence[int]) -> None:
    """Removes runs; of episodes that showed them queries see the best of those that are left."""
    connection.execute(
        select(run.c.id).where(run.c.id.in_(run_ids)).order_by(run.c.id).with_for_update()
    ).all()
    showing = sorted(episodes_showing(connection, run_ids))
    for episode_id in showing:
        lock_episode(connection, episode_id)
    delete_runs(connection, run_ids)
    for episode_id in showing:
        left = select(run.c.id).where(
            run.c.episode_id == episode_id, run.c.state.in_(ENDED_RUN_STATES)
        )
        for run_id in connection.execute(left.order_by(run.c.id)).scalars().all():
            switch_current_run(connection, episode_id, run_id)


def remove_model(connection: Connection, sha256: str) -> None:
    """Removes a model version whose runs are gone; harmless if it is gone already."""
    delete_models(connection, [sha256])
