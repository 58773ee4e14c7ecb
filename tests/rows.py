"""What a home's database holds, read with nothing but sqlite3."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

CONFIDENCE_TOLERANCE = 0.001
"""What the design grants to another grouping of pictures into batches."""


@contextmanager
def rows_of(home: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a home's database, which is closed afterwards."""
    with closing(sqlite3.connect(home / "castline.db", timeout=30)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


@dataclass(frozen=True)
class Found:
    """The tags and appearances of one run."""

    tags: Mapping[tuple[int, str, str], float]
    """Confidence by (pts, label, region)."""
    appearances: Mapping[tuple[str, int, int, float, float, int], tuple[float, float]]
    """Mean and largest confidence by (label, pts range, seconds, frames)."""


def found_in(home: Path, run: int | None = None) -> Found:
    """Read the tags and appearances of a run, or the only one; a row that comes twice fails."""
    with rows_of(home) as connection:
        if run is None:
            assert _count(connection, "SELECT count(*) FROM run") == 1
            run = _count(connection, "SELECT id FROM run")
        own = "WHERE run_id = ?"
        tags = list(
            connection.execute(f"SELECT pts, label, region, confidence FROM tag {own}", [run])
        )
        appearances = list(
            connection.execute(
                "SELECT label, start_pts, end_pts, start_seconds, end_seconds, frames,"
                f" mean_confidence, max_confidence FROM appearance {own}",
                [run],
            )
        )
    assert len({(tag["pts"], tag["label"]) for tag in tags}) == len(tags)
    assert len({row[:3] for row in map(tuple, appearances)}) == len(appearances)
    return Found(
        tags={tuple(row)[:3]: row["confidence"] for row in tags},
        appearances={tuple(row)[:6]: tuple(row)[6:] for row in appearances},
    )


def assert_equal_rows(found: Found, expected: Found) -> None:
    """Times, labels and regions exactly, confidences within the tolerance."""
    assert found.tags.keys() == expected.tags.keys()
    assert found.appearances.keys() == expected.appearances.keys()
    for key, confidence in expected.tags.items():
        assert abs(found.tags[key] - confidence) <= CONFIDENCE_TOLERANCE, key
    for shown, confidences in expected.appearances.items():
        for ours, theirs in zip(found.appearances[shown], confidences, strict=True):
            assert abs(ours - theirs) <= CONFIDENCE_TOLERANCE, shown


def assert_nothing_is_stuck(home: Path, *, quarantined: int = 0) -> None:
    """Every run has ended, every chunk is tagged or quarantined, and together they are all."""
    with rows_of(home) as connection:
        open_runs = "SELECT count(*) FROM run WHERE state NOT IN ('done', 'partial')"
        assert _count(connection, open_runs) == 0
        held = "SELECT count(*) FROM chunk WHERE worker IS NOT NULL OR lease_until IS NOT NULL"
        assert _count(connection, held) == 0
        given_up = "SELECT count(*) FROM chunk WHERE state = 'quarantined'"
        assert _count(connection, given_up) == quarantined
        for run in connection.execute("SELECT * FROM run"):
            ended = (
                "SELECT count(*) FROM chunk WHERE state IN ('tagged', 'quarantined')"
                f" AND run_id = {run['id']}"
            )
            assert run["chunks_done"] == run["chunks_total"] == _count(connection, ended)
            _assert_chunks_tile_the_episode(connection, run["id"])


def integrity_of(home: Path) -> str:
    """SQLite's own opinion on the database file: `ok`."""
    with rows_of(home) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def table_counts(home: Path, *tables: str) -> dict[str, int]:
    """How many rows each table has."""
    with rows_of(home) as connection:
        return {name: _count(connection, f"SELECT count(*) FROM {name}") for name in tables}


def _assert_chunks_tile_the_episode(connection: sqlite3.Connection, run_id: int) -> None:
    start, end = connection.execute(
        "SELECT start_pts, end_pts FROM episode WHERE id ="
        " (SELECT episode_id FROM run WHERE id = ?)",
        [run_id],
    ).fetchone()
    chunks = connection.execute(
        "SELECT start_pts, end_pts FROM chunk WHERE run_id = ? ORDER BY start_pts", [run_id]
    )
    for chunk in chunks:
        assert chunk["start_pts"] == start, "chunks neither overlap nor leave a gap"
        start = chunk["end_pts"]
    assert start == end


def _count(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])
