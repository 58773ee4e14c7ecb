"""The same command on PostgreSQL: the same rows, and queries that answer."""

import json
from pathlib import Path

import psycopg
import pytest

from tests.rows.found import CONFIDENCE_TOLERANCE, found_in
from tests.servers.commands import BY_LOT, castline, castline_here, new_home
from tests.servers.databases import new_postgresql_url
from tests.video.clips import write_clip

pytestmark = pytest.mark.integration


def test_rows_on_postgresql_equal_those_on_sqlite(tmp_path: Path, postgresql_base_url: str) -> None:
    clip = write_clip(tmp_path / "made.mp4", seconds=20)
    home = new_home(tmp_path / "home")
    url = new_postgresql_url(postgresql_base_url)

    on_postgresql = castline(home, "tag", clip, *BY_LOT, chunk_seconds=5, database_url=url)
    assert on_postgresql.returncode == 0, on_postgresql.stderr
    assert not (home / "castline.db").exists()
    shown = castline(home, "who", "made.mp4", "--json", database_url=url)
    assert castline_here(home, "tag", clip, *BY_LOT).returncode == 0

    expected = found_in(home)
    with psycopg.connect(url) as connection:
        tags = connection.execute("SELECT pts, label, region, confidence FROM tag").fetchall()
        appearances = connection.execute(
            "SELECT label, start_pts, end_pts, start_seconds, end_seconds, frames FROM appearance"
        ).fetchall()
    assert len(expected.tags) > 50
    assert {row[:3] for row in tags} == expected.tags.keys()
    assert all(
        abs(confidence - expected.tags[pts, label, region]) <= CONFIDENCE_TOLERANCE
        for pts, label, region, confidence in tags
    )
    assert set(appearances) == expected.appearances.keys()
    assert {(item["label"], item["start_pts"]) for item in json.loads(shown.stdout)} == {
        key[:2] for key in expected.appearances
    }
