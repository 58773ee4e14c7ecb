"""What earlier runs say of the time that the next will take."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from castline.tagging.rates import Rates, measured_rates
from db.records import RunRecord
from db.states import RunState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

RUN = RunRecord(
    id=1,
    episode_id=1,
    episode="pilot.mkv",
    model="cast@1",
    model_sha256="b" * 64,
    params="{}",
    state=RunState.DONE,
    chunks_total=1,
    chunks_done=1,
    frames=100,
    decode_errors=0,
    missing=(),
    error=None,
    time_base=Fraction(1, 1000),
    part=None,
    start_pts=0,
    end_pts=50_000,
    duration_seconds=50.0,
    queued_at=NOON,
    started_at=NOON,
    ended_at=NOON,
    is_current=False,
    claimed=0,
    frames_decoded=0,
)


def run(start_seconds: float, end_seconds: float, frames: int = 100, decoded: int = 0) -> RunRecord:
    return replace(
        RUN,
        started_at=NOON + timedelta(seconds=start_seconds),
        ended_at=NOON + timedelta(seconds=end_seconds),
        frames=frames,
        frames_decoded=decoded,
    )


def test_runs_of_one_command_share_its_time() -> None:
    # three begin together and end after 10, 20 and 30 s: 300 frames in 30 s
    runs = [run(0, 10), run(0, 20), run(0, 30)]
    assert measured_rates(runs).stored == pytest.approx(0.1)


def test_what_was_decoded_and_what_was_stored_are_measured_apart() -> None:
    rates = measured_rates([run(0, 40, decoded=2400), run(100, 110)])
    assert rates.decoding == pytest.approx(0.4)
    assert rates.stored == pytest.approx(0.1)
    assert rates.seconds_for(50, is_stored=True) == pytest.approx(5)
    assert rates.seconds_for(50, is_stored=False) == pytest.approx(20)


def test_a_run_that_was_interrupted_over_night_is_outvoted() -> None:
    runs = [run(0, 10), run(100, 110), run(200, 30_000)]
    assert measured_rates(runs).stored == pytest.approx(0.1)


def test_only_runs_that_ended_well_are_measured() -> None:
    runs = [
        replace(run(0, 10), state=state)
        for state in (RunState.FAILED, RunState.CANCELLED, RunState.RUNNING)
    ]
    assert measured_rates(runs) == Rates(decoding=None, stored=None)
    assert measured_rates(runs).seconds_for(10, is_stored=True) is None


def test_decoding_bounds_what_was_never_measured_from_the_store() -> None:
    rates = measured_rates([run(0, 40, decoded=2400)])
    assert rates.seconds_for(50, is_stored=True) == pytest.approx(20)
