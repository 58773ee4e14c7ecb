"""Bulk inserts in the fastest way for each database."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Insert, Table, bindparam, cast, func, insert, select


def insert_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows into a table, with values in the order of these columns."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_of_values(table, columns), list(rows))
    else:
        values = map(list, zip(*rows, strict=True))
        connection.execute(_of_arrays(table, columns), dict(zip(columns, values, strict=True)))


@lru_cache
def _of_values(table: Table, columns: tuple[str, ...]) -> str:
    """On SQLite plain tuples take a third of the time of parameters by name."""
    places = ", ".join("?" for _ in columns)
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608


@lru_cache
def _of_arrays(table: Table, columns: tuple[str, ...]) -> Insert:
    """On PostgreSQL an array per column takes half the time of single rows."""
    from sqlalchemy.dialects.postgresql import ARRAY

    arrays = (cast(bindparam(name), ARRAY(table.c[name].type)) for name in columns)
    rows = func.unnest(*arrays).table_valued(*columns).render_derived()
    return insert(table).from_select(columns, select(*rows.c))
