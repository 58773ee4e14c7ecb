"""What a database holds, read with nothing but sqlite3 or psycopg."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.waiting import PATIENCE_SECONDS

CONFIDENCE_TOLERANCE = 0.001
"""What the design grants to another grouping of pictures into batches."""

PLACE_TOLERANCE = 0.0002
"""Two of the last decimals that are stored: shares that are nearly equal may be rounded apart."""


@contextmanager
def rows_of(home: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a home's database, which is closed afterwards."""
    with closing(sqlite3.connect(home / "castline.db", timeout=PATIENCE_SECONDS)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


@dataclass(frozen=True)
class Found:
    """The tags and appearances of one run."""

    tags: Mapping[tuple[int, str, str], float]
    """Confidence by (pts, label, region)."""
    places: Mapping[tuple[int, str, str], tuple[float | None, ...]]
    """Centre and extent by the same; None four times where none is told."""
    appearances: Mapping[tuple[str, int, int, float, float, int], tuple[float, float]]
    """Mean and largest confidence by (label, pts range, seconds, frames)."""


def rows(place: Path | str, query: str) -> list[tuple[Any, ...]]:
    """What a query gives: asked of a home's SQLite file, or of the PostgreSQL server of a URL."""
    if isinstance(place, Path):
        with rows_of(place) as connection:
            return [tuple(row) for row in connection.execute(query)]
    with psycopg.connect(place) as connection:
        return connection.execute(query.encode()).fetchall()


def found_in(place: Path | str, run: int | None = None) -> Found:
    """Read the tags and appearances of a run, or the only one; a row that comes twice fails."""
    if run is None:
        assert _count(place, "SELECT count(*) FROM run") == 1
        run = _count(place, "SELECT id FROM run")
    own = f"WHERE run_id = {run}"
    tags = rows(
        place,
        "SELECT pts, label, region, confidence, place_x, place_y, place_width, place_height"
        f" FROM tag {own}",
    )
    appearances = rows(
        place,
        "SELECT label, start_pts, end_pts, start_seconds, end_seconds, frames,"
        f" mean_confidence, max_confidence FROM appearance {own}",
    )
    assert len({tag[:2] for tag in tags}) == len(tags)
    assert len({row[:3] for row in appearances}) == len(appearances)
    return Found(
        tags={row[:3]: row[3] for row in tags},
        places={row[:3]: row[4:] for row in tags},
        appearances={row[:6]: row[6:] for row in appearances},
    )


def assert_equal_rows(found: Found, expected: Found) -> None:
    """Times, labels and regions exactly, confidences and places within their tolerances."""
    assert found.tags.keys() == expected.tags.keys()
    assert found.appearances.keys() == expected.appearances.keys()
    for key, confidence in expected.tags.items():
        assert abs(found.tags[key] - confidence) <= CONFIDENCE_TOLERANCE, key
        expected_place = pytest.approx(expected.places[key], abs=PLACE_TOLERANCE)
        assert found.places[key] == expected_place, key
    for shown, confidences in expected.appearances.items():
        for ours, theirs in zip(found.appearances[shown], confidences, strict=True):
            assert abs(ours - theirs) <= CONFIDENCE_TOLERANCE, shown


def assert_nothing_is_stuck(place: Path | str, *, quarantined: int = 0) -> None:
    """Every run has ended, every chunk is tagged or quarantined, and together they are all."""
    open_runs = "SELECT count(*) FROM run WHERE state NOT IN ('done', 'partial')"
    assert _count(place, open_runs) == 0
    held = "SELECT count(*) FROM chunk WHERE worker IS NOT NULL OR lease_until IS NOT NULL"
    assert _count(place, held) == 0
    given_up = "SELECT count(*) FROM chunk WHERE state = 'quarantined'"
    assert _count(place, given_up) == quarantined
    for run_id, done, total in rows(place, "SELECT id, chunks_done, chunks_total FROM run"):
        ended = (
            "SELECT count(*) FROM chunk WHERE state IN ('tagged', 'quarantined')"
            f" AND run_id = {run_id}"
        )
        assert done == total == _count(place, ended)
        _assert_chunks_tile_the_episode(place, run_id)


def integrity_of(home: Path) -> str:
    """SQLite's own opinion on the database file: `ok`."""
    with rows_of(home) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def table_counts(place: Path | str, *tables: str) -> dict[str, int]:
    """How many rows each table has."""
    return {name: _count(place, f"SELECT count(*) FROM {name}") for name in tables}


def _assert_chunks_tile_the_episode(place: Path | str, run_id: int) -> None:
    [(start, end)] = rows(
        place,
        "SELECT start_pts, end_pts FROM episode WHERE id ="
        f" (SELECT episode_id FROM run WHERE id = {run_id})",
    )
    query = f"SELECT start_pts, end_pts FROM chunk WHERE run_id = {run_id} ORDER BY start_pts"
    for chunk_start, chunk_end in rows(place, query):
        assert chunk_start == start, "chunks neither overlap nor leave a gap"
        start = chunk_end
    assert start == end


def _count(place: Path | str, query: str) -> int:
    [[count]] = rows(place, query)
    return int(count)
