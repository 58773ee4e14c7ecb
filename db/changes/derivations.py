"""Derive the appearances of many runs again, and show all of them together.

Derived rows are kept in temporary tables, which block nobody, and replace the old appearances in
one transaction. Readers see either all old or all new rows.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    Table,
    insert,
    select,
    update,
)

from db.changes.appearances import SHOWN, FoundInRun, delete_rows, insert_appearances
from db.changes.corrections import forget_raw
from db.library.runs import part_of
from db.locks import lock_model_versions
from db.schema import current_run, episode, run
from db.states import ENDED_RUN_STATES
from exact.ranges import PtsRange


@dataclass(frozen=True)
class RunStamp:
    """The state of a model's run, by which changes during the derivation are noticed."""

    id: int
    episode_id: int
    params: str
    state: str
    ended_at: datetime | None
    missing: str
    """JSON of ranges of pts that were missing when it ended."""
    is_current: bool
    part: PtsRange | None
    """What it examines of the episode; None for the whole."""

    @property
    def has_ended(self) -> bool:
        """Whether it has appearances: a run that is retried keeps its earlier ones."""
        return self.state in ENDED_RUN_STATES or self.is_current


def _temporary(table: Table) -> Table:
    columns = (Column(each.name, each.type, primary_key=each.primary_key) for each in table.columns)
    return Table(f"derived_{table.name}", MetaData(), *columns, prefixes=["TEMPORARY"])


_DERIVED = {table: _temporary(table) for table in SHOWN}
"""Temporary tables by the table whose rows they replace."""


def make_temporary_tables(connection: Connection) -> None:
    """Create the tables that `keep_derived` fills, for this connection only."""
    for derived in _DERIVED.values():
        derived.create(connection)


def runs_of_model(connection: Connection, model_version_id: int) -> list[RunStamp]:
    """Return all runs of a model version, oldest first."""
    rows = connection.execute(
        select(
            run.c.id,
            run.c.episode_id,
            run.c.params,
            run.c.state,
            run.c.ended_at,
            run.c.missing,
            current_run.c.run_id.is_not(None),
            run.c.part_start_pts,
            run.c.part_end_pts,
        )
        .outerjoin(current_run, current_run.c.run_id == run.c.id)
        .where(run.c.model_version_id == model_version_id)
        .order_by(run.c.id)
    )
    return [
        RunStamp(run_id, episode_id, params, state, ended_at, missing, is_current, part_of(*part))
        for run_id, episode_id, params, state, ended_at, missing, is_current, *part in rows
    ]


def keep_derived(connection: Connection, found: FoundInRun) -> None:
    """Keep a run's derived rows until `show_derived`, replacing those kept before."""
    forget_derived(connection, [found.run_id])
    insert_appearances(connection, [found], _DERIVED)


def forget_derived(connection: Connection, run_ids: Collection[int]) -> None:
    """Drop the kept rows of runs."""
    delete_rows(connection, _DERIVED.values(), run_ids)


def lock_runs_of_model(connection: Connection, model_version_id: int) -> bool:
    """Make ends of runs, promotions and new runs wait until the transaction ends.

    Who ends a run holds the run and waits for the models, which are locked here first: so no run is
    waited for.

    Returns:
        Whether all runs are locked; if not, roll back, and try again in a moment.
    """
    lock_model_versions(connection, shared=False)
    own = select(run.c.id).where(run.c.model_version_id == model_version_id).order_by(run.c.id)
    held = connection.execute(own.with_for_update(skip_locked=True)).scalars().all()
    return held == connection.execute(own).scalars().all()


def lock_episodes_of_model(connection: Connection, model_version_id: int) -> bool:
    """Make people's corrections of the episodes of these runs wait, which hold the episode first.

    Returns:
        Whether all episodes are locked; if not, roll back, and try again in a moment.
    """
    with_runs = select(run.c.episode_id).where(run.c.model_version_id == model_version_id)
    own = select(episode.c.id).where(episode.c.id.in_(with_runs)).order_by(episode.c.id)
    held = connection.execute(own.with_for_update(key_share=True, skip_locked=True)).scalars().all()
    return held == connection.execute(own).scalars().all()


def show_derived(
    connection: Connection, run_ids: Sequence[int], params: Iterable[tuple[int, str, str]]
) -> None:
    """Replace the rows of runs by the kept ones.

    Args:
        connection: The connection with the temporary tables, in a write transaction with the runs
            locked.
        run_ids: The runs, all with kept rows, or with none because no label was found.
        params: New parameters of runs and their hashes, ordered so that no duplicate ever exists.
    """
    forget_raw(connection, run_ids)
    delete_rows(connection, SHOWN, run_ids)
    for table, derived in _DERIVED.items():
        names = [column.name for column in derived.columns]
        connection.execute(insert(table).from_select(names, select(derived)))
    for run_id, text, text_hash in params:
        connection.execute(
            update(run).where(run.c.id == run_id).values(params=text, params_hash=text_hash)
        )
