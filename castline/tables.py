"""Answers of several rows: sequences of frozen values, also as dictionaries and as a DataFrame."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from castline.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Row:
    """One row of an answer."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as plain values for JSON (docs/reference/json.md)."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


ROWS_SHOWN = 20
"""Rows of a table in its `repr`: as many as fit a screen."""

RowT_co = TypeVar("RowT_co", bound=Row, covariant=True)


@dataclass(frozen=True, repr=False)
class Table(Sequence[RowT_co], Generic[RowT_co]):
    """The rows of an answer, in order: an immutable sequence."""

    rows: tuple[RowT_co, ...]
    """The rows."""
    columns: tuple[str, ...]
    """The names of the values that `to_dicts` and `to_pandas` return for each row."""
    has_more: bool = False
    """Whether there are more rows than the requested limit."""

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> RowT_co: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RowT_co, ...]: ...
    def __getitem__(self, index: int | slice) -> RowT_co | tuple[RowT_co, ...]:
        return self.rows[index]

    def __repr__(self) -> str:
        shown = [f"  {row}" for row in self.rows[:ROWS_SHOWN]]
        more = ["  ..."] if len(self.rows) > ROWS_SHOWN else []
        return "\n".join([f"{len(self.rows)} rows", *shown, *more])

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a dictionary of plain values for each row, as printed by `--json`."""
        return [
            {name: values[name] for name in self.columns}
            for values in (row.to_dict() for row in self.rows)
        ]

    def to_pandas(self) -> "pd.DataFrame":
        """Return the rows as a pandas DataFrame, with the columns even if there are no rows.

        Raises:
            RequestError: Pandas is not installed.
        """
        return data_frame(self.to_dicts(), self.columns)


def data_frame(rows: Sequence[Any], columns: Sequence[str]) -> "pd.DataFrame":
    """Return rows as a pandas DataFrame.

    Raises:
        RequestError: Pandas is not installed.
    """
    try:
        from pandas import DataFrame
    except ModuleNotFoundError as error:
        raise RequestError("a DataFrame needs pandas: python -m pip install pandas") from error
    return DataFrame(list(rows), columns=list(columns))


def columns_of(kind: type[Row]) -> tuple[str, ...]:
    """Return the names of all fields of a row class."""
    return tuple(field.name for field in fields(kind))


def plain(value: Any) -> Any:
    """Convert a value for JSON: fractions to numbers, times to ISO 8601."""
    if isinstance(value, Row):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        if names := getattr(value, "_fields", None):  # a named tuple
            return {name: plain(each) for name, each in zip(names, value, strict=True)}
        return [plain(each) for each in value]
    for kind, write in _WRITTEN.items():
        if isinstance(value, kind):
            return write(value)
    return value


_WRITTEN: dict[type, Callable[[Any], Any]] = {
    StrEnum: str,
    Fraction: float,
    datetime: datetime.isoformat,
    Path: str,
}
