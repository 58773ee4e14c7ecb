"""Tables of answers: as sequences, as dictionaries, as DataFrames."""

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest

from castline.asking.times import exact_seconds
from castline.errors import RequestError
from castline.tables import Row, Table, columns_of
from timeline.errors import TimelineError


class Corner(NamedTuple):
    x: float
    y: float


@dataclass(frozen=True)
class Part(Row):
    start_seconds: float


@dataclass(frozen=True)
class Fruit(Row):
    name: str
    seconds: Fraction
    added_at: datetime
    path: Path
    corner: Corner | None
    parts: tuple[Part, ...]


FIG = Fruit(
    "fig",
    Fraction(3, 2),
    datetime(2026, 1, 2, tzinfo=UTC),
    Path("/a/b"),
    Corner(0.25, 0.5),
    (Part(1.5),),
)
TABLE = Table((FIG,), columns_of(Fruit))


def test_a_table_is_a_sequence_of_its_rows() -> None:
    assert len(TABLE) == 1
    assert TABLE[0] is FIG
    assert list(TABLE) == [FIG]
    assert TABLE[0:1] == (FIG,)
    assert not Table((), columns_of(Fruit))


def test_dictionaries_hold_what_json_takes_in_the_order_of_the_columns() -> None:
    assert json.dumps(TABLE.to_dicts()) == (
        '[{"name": "fig", "seconds": 1.5, "added_at": "2026-01-02T00:00:00+00:00",'
        ' "path": "/a/b", "corner": {"x": 0.25, "y": 0.5}, "parts": [{"start_seconds": 1.5}]}]'
    )


def test_columns_that_were_not_asked_for_are_left_out() -> None:
    assert Table((FIG,), ("seconds", "name")).to_dicts() == [{"seconds": 1.5, "name": "fig"}]


def test_a_data_frame_has_a_row_for_each_and_its_columns_when_empty() -> None:
    pytest.importorskip("pandas")
    frame = TABLE.to_pandas()
    assert frame["seconds"].tolist() == [1.5]
    assert list(frame.columns) == list(columns_of(Fruit))
    assert list(Table((), ("a", "b")).to_pandas().columns) == ["a", "b"]


def test_without_pandas_a_data_frame_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(RequestError, match="pip install pandas"):
        TABLE.to_pandas()


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("1:23.5", Fraction(167, 2)),
        (83, Fraction(83)),
        (0.5, Fraction(1, 2)),
        (Fraction(1001, 24000), Fraction(1001, 24000)),
    ],
)
def test_times_are_texts_or_numbers_of_seconds(
    time: str | float | Fraction, seconds: Fraction
) -> None:
    assert exact_seconds(time) == seconds


@pytest.mark.parametrize("time", ["1:5", -1, float("nan"), float("inf")])
def test_what_is_no_time_is_refused(time: str | float) -> None:
    with pytest.raises(TimelineError, match="is not a time"):
        exact_seconds(time)
