"""Add corrections, and write the rows of runs with and without them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, insert

from db.engine import insert_ignoring_conflict
from db.library.run_totals import write_totals
from db.records import AppearanceRecord, CorrectionRecord
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


@dataclass(frozen=True)
class CorrectedRows:
    """The rows of a run with corrections applied."""

    appearances: Sequence[AppearanceRecord]
    corrections: int
    """Number of corrections that count in it."""


def add_corrections(connection: Connection, records: Sequence[CorrectionRecord]) -> int:
    """Add corrections, except existing ones; return how many are new."""
    added = 0
    for record in records:
        values = dict(vars(record))
        part = values.pop("part")
        values["part_start_pts"], values["part_end_pts"] = part or (None, None)
        statement = insert_ignoring_conflict(connection, correction).values(values)
        added += connection.execute(statement).rowcount
    return added


def forget_raw(connection: Connection, run_ids: Sequence[int]) -> None:
    """Forget what was put aside of runs: what they have now is what their models found."""
    for table in (corrected_run, raw_appearance, raw_run_label, raw_run_pair):
        connection.execute(delete(table).where(table.c.run_id.in_(run_ids)))


def write_appearances(
    connection: Connection,
    run_id: int,
    episode_id: int,
    appearances: Sequence[AppearanceRecord],
    corrected: CorrectedRows | None,
) -> None:
    """Replace the appearances of a run; its episode is locked.

    Args:
        connection: A connection inside a write transaction.
        run_id: The run.
        episode_id: Its episode.
        appearances: The raw appearances.
        corrected: The appearances with corrections applied; None where there are no corrections.
    """
    connection.execute(delete(corrected_run).where(corrected_run.c.run_id == run_id))
    raw = (raw_appearance, raw_run_label, raw_run_pair)
    for table in raw:
        connection.execute(delete(table).where(table.c.run_id == run_id))
    if corrected is not None:
        values = {"run_id": run_id, "corrections": corrected.corrections}
        connection.execute(insert(corrected_run).values(values))
        _replace(connection, raw_appearance, run_id, episode_id, appearances)
        write_totals(connection, run_id, appearances, raw_run_label, raw_run_pair)
    shown = appearances if corrected is None else corrected.appearances
    _replace(connection, appearance, run_id, episode_id, shown)
    write_totals(connection, run_id, shown, run_label, run_pair)


def _replace(
    connection: Connection,
    table: Table,
    run_id: int,
    episode_id: int,
    appearances: Sequence[AppearanceRecord],
) -> None:
    connection.execute(delete(table).where(table.c.run_id == run_id))
    rows: list[dict[str, Any]] = [
        {"run_id": run_id, "episode_id": episode_id, **vars(item)} for item in appearances
    ]
    if rows:
        connection.execute(insert(table), rows)
