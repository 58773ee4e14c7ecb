"""Derive the appearances of many runs again, and show all of them together.

Derived rows are kept in temporary tables, which block nobody, and replace the old appearances in
one transaction. Readers see either all old or all new rows.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from db.changes.showing import lock_model_versions
from db.library.run_totals import LABEL_COLUMNS, PAIR_COLUMNS, label_totals, pair_totals
from db.library.runs import part_of
from db.records import AppearanceRecord, EpisodeRecord
from db.rows import insert_rows
from db.schema import appearance, current_run, episode, run, run_label, run_pair
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


_DERIVED = {table: _temporary(table) for table in (appearance, run_label, run_pair)}
"""Temporary tables by the table whose rows they replace."""

_FIELDS = tuple(each.name for each in fields(AppearanceRecord))
_APPEARANCE_COLUMNS = ("run_id", "episode_id", *_FIELDS)
_values = attrgetter(*_FIELDS)


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


def keep_derived(
    connection: Connection,
    run_id: int,
    episode: EpisodeRecord,
    appearances: Sequence[AppearanceRecord],
) -> None:
    """Keep a run's derived rows until `show_derived`, replacing those kept before."""
    forget_derived(connection, [run_id])
    rows = {
        appearance: (
            _APPEARANCE_COLUMNS,
            [(run_id, episode.id, *_values(item)) for item in appearances],
        ),
        run_label: (LABEL_COLUMNS, [(run_id, *item) for item in label_totals(appearances)]),
        run_pair: (
            PAIR_COLUMNS,
            [(run_id, *item) for item in pair_totals(appearances, episode.time_base)],
        ),
    }
    for table, (columns, values) in rows.items():
        insert_rows(connection, _DERIVED[table], columns, values)


def forget_derived(connection: Connection, run_ids: Collection[int]) -> None:
    """Drop the kept rows of runs."""
    for derived in _DERIVED.values():
        _delete(connection, derived, run_ids)


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
    for table, derived in _DERIVED.items():
        _delete(connection, table, run_ids)
        names = [column.name for column in derived.columns]
        connection.execute(insert(table).from_select(names, select(derived)))
    for run_id, text, text_hash in params:
        connection.execute(
            update(run).where(run.c.id == run_id).values(params=text, params_hash=text_hash)
        )


def _delete(connection: Connection, table: Table, run_ids: Collection[int]) -> None:
    """Delete the rows of runs."""
    if run_ids:
        connection.execute(
            delete(table).where(table.c.run_id == bindparam("of_run")),
            [{"of_run": run_id} for run_id in run_ids],
        )
