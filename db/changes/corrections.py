"""Add corrections, and write the rows of runs with and without them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from db.changes.appearances import FoundInRun, change_appearances, delete_rows
from db.engine import insert_ignoring_conflict
from db.records import CorrectionRecord
from db.schema import (
    appearance,
    corrected_run,
    correction,
    raw_appearance,
    raw_run_label,
    raw_run_pair,
    run_label,
    run_pair,
)

_RAW: Mapping[Table, Table] = {
    appearance: raw_appearance,
    run_label: raw_run_label,
    run_pair: raw_run_pair,
}
"""The tables of raw results, by the table of the rows that queries see."""


@dataclass(frozen=True)
class CorrectedRun:
    """The results of a run with corrections applied."""

    raw: FoundInRun
    found: FoundInRun
    corrections: int
    """Number of corrections that count in it."""


def add_corrections(
    connection: Connection, records: Sequence[CorrectionRecord]
) -> list[CorrectionRecord]:
    """Add corrections, except existing ones; return the new ones."""
    known = set(
        connection.execute(
            select(correction.c.key).where(correction.c.key.in_([each.key for each in records]))
        ).scalars()
    )
    new = list({each.key: each for each in records if each.key not in known}.values())
    if new:
        # Somebody may add the same ones meanwhile, if their episode is not here to be locked.
        connection.execute(
            insert_ignoring_conflict(connection, correction), [_values(each) for each in new]
        )
    return new


def _values(record: CorrectionRecord) -> dict[str, Any]:
    values = dict(vars(record))
    values["part_start_pts"], values["part_end_pts"] = values.pop("part") or (None, None)
    return values


def forget_raw(connection: Connection, run_ids: Collection[int]) -> None:
    """Drop the raw results of runs: the rows that queries see are raw now."""
    delete_rows(connection, (corrected_run, *_RAW.values()), run_ids)


def show_raw(connection: Connection, run_ids: Collection[int]) -> None:
    """Show the raw results of runs instead of corrected ones; their episodes are locked."""
    are_corrected = select(corrected_run.c.run_id).where(corrected_run.c.run_id.in_(run_ids))
    were_corrected = connection.execute(are_corrected).scalars().all()
    if not were_corrected:
        return
    delete_rows(connection, _RAW, were_corrected)
    for table, raw in _RAW.items():
        _copy(connection, raw, table, were_corrected)
    forget_raw(connection, were_corrected)


def show_corrected(connection: Connection, runs: Sequence[CorrectedRun]) -> None:
    """Show corrected results of runs instead of raw ones, which are kept beside them.

    Args:
        connection: A connection inside a write transaction; the runs' episodes are locked.
        runs: The corrected results; raw ones are shown now.
    """
    if not runs:
        return
    for table, raw in _RAW.items():
        _copy(connection, table, raw, [each.found.run_id for each in runs])
    connection.execute(
        insert(corrected_run),
        [{"run_id": each.found.run_id, "corrections": each.corrections} for each in runs],
    )
    change_appearances(connection, [each.raw for each in runs], [each.found for each in runs])


def _copy(connection: Connection, source: Table, to: Table, run_ids: Collection[int]) -> None:
    names = [column.name for column in source.columns]
    rows = select(source).where(source.c.run_id.in_(run_ids))
    connection.execute(insert(to).from_select(names, rows))
