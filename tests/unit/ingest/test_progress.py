"""How often long work says how far it is."""

import pytest

from ingest.progress import Pulse


def test_a_pulse_beats_once_in_half_a_second_and_not_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("ingest.progress.time.monotonic", lambda: now)
    reported: list[int] = []
    pulse = Pulse(reported.append)
    for done in range(40):  # a frame every sixteenth of a second
        now = done / 16
        pulse.beat(done)
    assert reported == [8, 16, 24, 32]


def test_a_pulse_without_a_listener_is_silent() -> None:
    Pulse(None).beat(1)
