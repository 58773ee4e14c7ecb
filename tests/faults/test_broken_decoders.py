"""Chunks that break whatever decodes them: given up, and everything else finishes."""

import json
from pathlib import Path

import pytest

from model.inference.device import Device
from tests.rows.found import Found, assert_nothing_is_stuck, found_in, rows_of
from tests.servers.commands import BY_LOT, castline, castline_here, new_home
from tests.video.decoders import PatientDecoder
from tests.video.witness import packets_of
from worker.embedded.runner import EmbeddedRunner, RunnerOptions
from worker.installation import open_installation
from worker.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.fault]

CHUNK_SECONDS = 8
FAULT_SECONDS = {"crash": 9, "exhaust": 22, "hang": 31}
"""When each fault strikes: in the first, the second and again the second half of a chunk of 8 s
that has key frames every 2 s, so the halves are of 4 s."""

GIVEN_UP_SECONDS = [[8.0, 12.0], [20.0, 24.0], [28.0, 32.0]]
"""By hand: chunks [8, 16), [16, 24), [24, 32), cut in the middle."""


def test_three_broken_decoders_cost_half_a_chunk_each_and_nothing_else(
    clip: Path, undisturbed: Found, tmp_path: Path
) -> None:
    time_base = packets_of(clip).time_base
    faults = [f"{name}:{int(at / time_base)}" for name, at in FAULT_SECONDS.items()]
    home = new_home(tmp_path / "home")
    castline(home, "enqueue", clip, *BY_LOT, chunk_seconds=CHUNK_SECONDS)

    with open_installation(Settings.from_environment(home, {})) as installation:
        options = RunnerOptions(extract_processes=2, device=Device.CPU)
        assert EmbeddedRunner(installation, options, lambda: PatientDecoder(*faults)).run()

    assert_nothing_is_stuck(home, quarantined=3)
    [run] = json.loads(castline_here(home, "status", "--json").stdout)
    assert run["state"] == "partial"
    assert run["missing_seconds"] == GIVEN_UP_SECONDS
    assert [item["attempts"] for item in run["quarantined"]] == [4, 4, 4]
    said = [item["error"] for item in run["quarantined"]]
    assert ["SIGSEGV" in said[0], "memory" in said[1], "hung" in said[2]] == [True] * 3
    assert castline_here(home, "tag", clip, *BY_LOT).returncode == 3

    # All that was not given up is as if nothing had happened.
    missing = [(int(start / time_base), int(end / time_base)) for start, end in GIVEN_UP_SECONDS]
    expected = {
        key: confidence
        for key, confidence in undisturbed.tags.items()
        if not any(start <= key[0] < end for start, end in missing)
    }
    assert found_in(home).tags == pytest.approx(expected, abs=0.001)
    assert _appearances_within(home, missing) == []


def _appearances_within(home: Path, ranges: list[tuple[int, int]]) -> list[str]:
    """The labels of appearances that reach into one of the ranges."""
    with rows_of(home) as connection:
        rows = list(connection.execute("SELECT label, start_pts, end_pts FROM appearance"))
    return [
        row["label"]
        for row in rows
        for start, end in ranges
        if row["start_pts"] < end and start < row["end_pts"]
    ]
