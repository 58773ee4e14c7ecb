"""Find and remove unreferenced data: runs and model versions.

A run is kept while it is current or due to be, has unfinished work, would become current by a
rollback, was made by a candidate, or is the only record of what happened to its episode. A
candidate is a model version that is newer than the one in use and was never promoted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, update

from db.changes.promotions import (
    PromotionRecord,
    list_promotions,
    sha256_in_use,
    standing_promotions,
)
from db.library.current import best_runs
from db.library.runs import list_runs
from db.locks import lock_episodes_of_runs, lock_model_versions, lock_runs
from db.records import ModelVersionRecord, RunRecord
from db.schema import (
    appearance,
    chunk,
    corrected_run,
    current_run,
    model_version,
    promotion,
    raw_appearance,
    raw_run_label,
    raw_run_pair,
    replaced_run,
    run,
    run_effort,
    run_label,
    run_pair,
    tag,
)
from db.states import OPEN_RUN_STATES


@dataclass(frozen=True)
class RunRows:
    """Numbers of rows that belong to some runs."""

    tags: int
    appearances: int


def prunable_runs(connection: Connection, bundled: ModelVersionRecord) -> list[RunRecord]:
    """Return the unreferenced runs, oldest first."""
    kept = set(connection.execute(_kept_runs(connection, bundled)).scalars())
    return [item for item in list_runs(connection) if item.id not in kept and not item.is_open]


def count_rows(connection: Connection, run_ids: Sequence[int]) -> RunRows:
    """Return how many tags and appearances these runs have."""
    counts = [
        connection.execute(
            select(func.count()).select_from(table).where(table.c.run_id.in_(run_ids))
        ).scalar_one()
        for table in (tag, appearance)
    ]
    return RunRows(*counts)


def prunable_models(
    connection: Connection, pruned_run_ids: Sequence[int], bundled: ModelVersionRecord
) -> list[str]:
    """Return the SHA-256 of the model versions that are unreferenced once these runs are gone."""
    with_runs = select(run.c.model_version_id).where(run.c.id.not_in(pruned_run_ids))
    standing = [item.model_sha256 for item in needed_promotions(connection) if item.model_sha256]
    rows = connection.execute(
        select(model_version.c.sha256)
        .where(
            model_version.c.id.not_in(with_runs),
            model_version.c.id.not_in(_candidates(connection, bundled)),
            model_version.c.sha256.not_in(standing or [bundled.sha256]),
        )
        .order_by(model_version.c.id)
    )
    return [str(sha256) for sha256 in rows.scalars()]


def frames_in_use(
    connection: Connection, pruned_run_ids: Sequence[int]
) -> Iterator[tuple[int, str, int, int]]:
    """Yield the chunks of the kept runs: (episode id, parameters, start_pts, end_pts)."""
    rows = connection.execute(
        select(run.c.episode_id, run.c.params, chunk.c.start_pts, chunk.c.end_pts)
        .join(run, run.c.id == chunk.c.run_id)
        .where(run.c.id.not_in(pruned_run_ids))
    )
    for row in rows:
        yield row.episode_id, row.params, row.start_pts, row.end_pts


def remove_runs(connection: Connection, run_ids: Sequence[int], bundled: ModelVersionRecord) -> int:
    """Remove those of these runs that are unreferenced now; return how many."""
    lock_episodes_of_runs(connection, run_ids)
    lock_runs(connection, run_ids)
    lock_model_versions(connection, shared=True)
    wanted = set(run_ids)
    ids = [item.id for item in prunable_runs(connection, bundled) if item.id in wanted]
    delete_runs(connection, ids)
    return len(ids)


def delete_runs(connection: Connection, run_ids: Sequence[int]) -> None:
    """Delete runs with all that belongs to them; of an episode that showed one none is shown.

    They are locked with their episodes and the model versions.
    """
    # In order, since others may hold the keys of several of them.
    ordered = select(run.c.id).where(run.c.id.in_(run_ids)).order_by(run.c.id)
    connection.execute(ordered.with_for_update()).all()
    for table in (*_OF_RUNS, current_run):
        connection.execute(delete(table).where(table.c.run_id.in_(run_ids)))
    connection.execute(delete(run).where(run.c.id.in_(run_ids)))


_OF_RUNS = (
    *(tag, appearance, run_label, run_pair, run_effort, chunk, replaced_run),
    *(corrected_run, raw_appearance, raw_run_label, raw_run_pair),
)
"""All rows of runs. Corrections belong to contents, and are kept."""


def remove_models(
    connection: Connection, sha256s: Sequence[str], bundled: ModelVersionRecord
) -> list[str]:
    """Remove those of these model versions that are unreferenced now; return their SHA-256.

    Their promotions are kept, by name.
    """
    lock_model_versions(connection, shared=False)
    gone = [each for each in prunable_models(connection, [], bundled) if each in set(sha256s)]
    delete_models(connection, gone)
    return gone


def delete_models(connection: Connection, sha256s: Sequence[str]) -> None:
    """Delete locked model versions that have no runs; their promotions stay, by name."""
    ids = select(model_version.c.id).where(model_version.c.sha256.in_(sha256s))
    connection.execute(
        update(promotion).where(promotion.c.model_version_id.in_(ids)).values(model_version_id=None)
    )
    connection.execute(delete(model_version).where(model_version.c.sha256.in_(sha256s)))


def needed_promotions(connection: Connection) -> list[PromotionRecord]:
    """The promotion of the model in use, and the one that a rollback goes back to."""
    standing = standing_promotions(list_promotions(connection))
    return standing[-1:] if standing and standing[-1].is_bundled else standing[-2:]


def _kept_runs(connection: Connection, bundled: ModelVersionRecord) -> Select[Any]:
    latest = [item.id for item in needed_promotions(connection)[1:]]
    in_use = model_version.c.sha256 == sha256_in_use(connection, bundled.sha256)
    due, brought_back = best_runs(in_use), best_runs(without_promotions=latest)
    shown = select(current_run.c.run_id)
    only_news = (
        select(func.max(run.c.id))
        .where(run.c.episode_id.not_in(select(current_run.c.episode_id)))
        .group_by(run.c.episode_id)
    )
    return select(run.c.id).where(
        run.c.id.in_(shown)
        | run.c.id.in_(select(due.c.run_id))
        | run.c.id.in_(select(brought_back.c.run_id))
        | run.c.id.in_(only_news)
        | run.c.state.in_(OPEN_RUN_STATES)
        | run.c.model_version_id.in_(_candidates(connection, bundled))
    )


def _candidates(connection: Connection, bundled: ModelVersionRecord) -> Select[Any]:
    promoted = select(promotion.c.model_version_id).where(promotion.c.model_version_id.is_not(None))
    in_use = select(model_version.c.created_at).where(
        model_version.c.sha256 == sha256_in_use(connection, bundled.sha256)
    )
    made_at = connection.execute(in_use).scalar_one_or_none() or bundled.created_at
    return select(model_version.c.id).where(
        model_version.c.id.not_in(promoted), model_version.c.created_at > made_at
    )
