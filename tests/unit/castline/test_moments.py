"""At which moments stills are taken."""

from fractions import Fraction
from itertools import pairwise

from castline.stills.moments import random_moments

SHA256 = "0123456789abcdef" * 4


def test_moments_are_four_to_ten_seconds_apart_and_cover_the_episode() -> None:
    duration_seconds = Fraction(1320)
    moments = random_moments(duration_seconds, SHA256, seed=1)
    steps = [after - before for before, after in pairwise(moments)]
    assert 4 <= min(steps) < max(steps) <= 10
    assert len(set(steps)) > 8  # irregular, as the set was made
    assert 0 <= moments[0] < 10
    assert 1310 <= moments[-1] < 1320
    assert 1320 / 10 <= len(moments) <= 1320 / 4


def test_moments_are_repeated_by_seed_and_episode_alone() -> None:
    first = random_moments(Fraction(600), SHA256, seed=1)
    assert first == random_moments(Fraction(600), SHA256, seed=1)
    assert first != random_moments(Fraction(600), SHA256, seed=2)
    assert first != random_moments(Fraction(600), "f" * 64, seed=1)
