"""Write the appearances of runs, with their totals."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete

from db.library.run_totals import LABEL_COLUMNS, PAIR_COLUMNS, label_totals, pair_totals
from db.records import AppearanceRecord, EpisodeRecord
from db.rows import insert_rows
from db.schema import appearance, run_label, run_pair

SHOWN: Mapping[Table, Table] = {table: table for table in (appearance, run_label, run_pair)}
"""The tables that queries see."""


@dataclass(frozen=True)
class FoundInRun:
    """The appearances of one run."""

    run_id: int
    episode: EpisodeRecord
    appearances: Sequence[AppearanceRecord]


def replace_appearances(connection: Connection, found: Sequence[FoundInRun]) -> None:
    """Replace the rows of runs that queries see; their episodes are locked."""
    delete_rows(connection, SHOWN, [each.run_id for each in found])
    insert_appearances(connection, found)


def insert_appearances(
    connection: Connection, found: Iterable[FoundInRun], tables: Mapping[Table, Table] = SHOWN
) -> None:
    """Insert appearances and their totals.

    Args:
        connection: A connection inside a write transaction.
        found: The appearances of runs without any rows.
        tables: The tables that take the rows, by those that queries see.
    """
    rows = _rows(found)
    for table, columns in _COLUMNS.items():
        insert_rows(connection, tables[table], columns, rows[table])


def change_appearances(
    connection: Connection, before: Iterable[FoundInRun], after: Iterable[FoundInRun]
) -> None:
    """Replace the rows of runs that queries see, writing only those that differ."""
    old, new = _rows(before), _rows(after)
    for table, columns in _COLUMNS.items():
        keys = [column.name for column in table.primary_key]
        places = {name: columns.index(name) for name in keys}
        gone = set(old[table]).difference(new[table])
        if gone:
            connection.execute(
                delete(table).where(*(table.c[name] == bindparam(f"of_{name}") for name in keys)),
                [{f"of_{name}": row[place] for name, place in places.items()} for row in gone],
            )
        insert_rows(connection, table, columns, [*set(new[table]).difference(old[table])])


def _rows(found: Iterable[FoundInRun]) -> dict[Table, list[tuple[Any, ...]]]:
    """Return rows of appearances and their totals, by the table that takes them."""
    rows: dict[Table, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
    for each in found:
        run_id, episode = each.run_id, each.episode
        rows[appearance] += ((run_id, episode.id, *_values(one)) for one in each.appearances)
        rows[run_label] += ((run_id, *total) for total in label_totals(each.appearances))
        pairs = pair_totals(each.appearances, episode.time_base)
        rows[run_pair] += ((run_id, *total) for total in pairs)
    return rows


_FIELDS = tuple(each.name for each in fields(AppearanceRecord))
_values = attrgetter(*_FIELDS)

_COLUMNS: Mapping[Table, tuple[str, ...]] = {
    appearance: ("run_id", "episode_id", *_FIELDS),
    run_label: LABEL_COLUMNS,
    run_pair: PAIR_COLUMNS,
}


def delete_rows(connection: Connection, tables: Iterable[Table], run_ids: Collection[int]) -> None:
    """Delete the rows of runs in some tables."""
    if run_ids:
        for table in tables:
            connection.execute(
                delete(table).where(table.c.run_id == bindparam("of_run")),
                [{"of_run": run_id} for run_id in run_ids],
            )
