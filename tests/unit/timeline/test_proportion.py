"""Wilson's interval against scipy's."""

import pytest

from timeline.scoring.proportion import wilson_interval

stats = pytest.importorskip("scipy.stats")


@pytest.mark.parametrize(("hits", "trials"), [(0, 1), (1, 1), (2, 2), (0, 30), (27, 30), (93, 100)])
def test_the_interval_is_scipys(hits: int, trials: int) -> None:
    expected = stats.binomtest(hits, trials).proportion_ci(method="wilson")
    assert wilson_interval(hits, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_without_a_trial_nothing_is_known() -> None:
    assert wilson_interval(0, 0) == (0, 1)
