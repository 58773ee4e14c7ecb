"""The benches look at an episode as tagging does."""

from pathlib import Path

import pytest

from bench.episode_frames import store_frames
from bench.stills_to_frames import look, ranges_of, steps_of
from ingest.decoder import Decoder
from model.artifact import find_model
from model.classifier import Classifier
from tests.clips import write_clip
from tests.commands import castline_here, new_home
from tests.models import NAME
from tests.rows import rows_of

pytestmark = pytest.mark.integration


def test_the_last_step_finds_the_very_appearances_that_tagging_writes(tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    version = find_model(NAME, [home / "models"])
    clip = write_clip(tmp_path / "clip.mp4", seconds=16)
    ended = castline_here(home, "tag", clip, "--model", NAME)
    assert ended.returncode == 0, ended.stderr
    with rows_of(home) as connection:
        written = connection.execute(
            "SELECT label, start_seconds, end_seconds FROM appearance ORDER BY 2, 1"
        ).fetchall()

    with Decoder() as decoder:
        seen = look(Classifier.load(version), store_frames(clip, decoder, tmp_path / "frames"))
    assert len(seen.sampled_pts) == 2 * 16
    found = [
        (item.label, float(item.start_seconds), float(item.end_seconds))
        for item in ranges_of(steps_of(version.manifest)[-1], seen)
    ]
    assert len(found) > 3
    assert found == [tuple(row) for row in written]
    assert seen.time_base * (seen.end_pts - seen.start_pts) == 16
