"""Parameters of runs as JSON: what older runs were made with stays what it was."""

import json
from fractions import Fraction

from timeline.appearances.rules import Rules, ShotRules
from worker.parameters import RunParameters

OLDER = (
    '{"every_seconds": "1/2", "frame_store": 1, "min_duration_off_seconds": "3/4",'
    ' "min_duration_on_seconds": "3/4", "offset": 0.4, "onset": 0.6}'
)
"""As runs from before cuts were looked for have it."""


def test_a_run_from_before_cuts_were_looked_for_has_no_rules_for_shots() -> None:
    assert RunParameters.from_json(OLDER).rules.shots is None


def test_rules_for_shots_come_back_exactly_and_make_another_run() -> None:
    shots = ShotRules(sure=0.95, link_seconds=Fraction(7, 3))
    parameters = RunParameters(Fraction(1, 2), Rules(0.6, 0.4, shots=shots))
    text = parameters.to_json()
    assert json.loads(text)["shots"] == {"link_seconds": "7/3", "sure": 0.95}
    assert RunParameters.from_json(text) == parameters
    assert RunParameters(Fraction(1, 2), Rules(0.6, 0.4)).hash != parameters.hash
