"""Two layers of results: with corrections, which queries see, and raw."""

from dataclasses import dataclass

from sqlalchemy import FromClause, Table, select, union_all

from db.schema import (
    appearance,
    corrected_run,
    raw_appearance,
    raw_run_label,
    raw_run_pair,
    run_label,
    run_pair,
)


@dataclass(frozen=True)
class Layer:
    """Appearances and their totals, each with the columns of its table."""

    appearance: FromClause
    run_label: FromClause
    run_pair: FromClause


CORRECTED = Layer(appearance, run_label, run_pair)
"""The rows that queries see: the raw ones where there are no corrections."""


def raw_layer(run_id: int | None) -> Layer:
    """Return the raw results of all runs or, which is faster to read, of one."""
    return Layer(
        _without_corrections(appearance, raw_appearance, run_id),
        _without_corrections(run_label, raw_run_label, run_id),
        _without_corrections(run_pair, raw_run_pair, run_id),
    )


def _without_corrections(table: Table, raw: Table, run_id: int | None) -> FromClause:
    """Select the rows of runs without corrections, and the raw rows set aside for the others."""
    untouched = select(table).where(table.c.run_id.not_in(select(corrected_run.c.run_id)))
    aside = select(raw)
    if run_id is not None:
        untouched = untouched.where(table.c.run_id == run_id)
        aside = aside.where(raw.c.run_id == run_id)
    return union_all(untouched, aside).subquery(table.name)
