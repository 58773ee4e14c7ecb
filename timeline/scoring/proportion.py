"""Confidence interval of a share that was counted on a random sample."""

from math import sqrt

Z_95 = 1.959963984540054
"""The normal distribution's 0.975 quantile: 95 % lie within this many standard deviations."""


def wilson_interval(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share: Wilson's score interval.

    It also holds for few trials and for shares near 0 and 1 (E. B. Wilson, "Probable Inference, the
    Law of Succession, and Statistical Inference", JASA 22, 1927).

    Args:
        hits: Number of successes.
        trials: Number of trials; 0 gives no information.
    """
    if trials == 0:
        return 0.0, 1.0
    share = hits / trials
    spread = Z_95 * Z_95 / trials
    middle = share + spread / 2
    half = Z_95 * sqrt(share * (1 - share) / trials + spread / trials / 4)
    low, high = ((middle + side * half) / (1 + spread) for side in (-1, 1))
    return max(0.0, low), min(1.0, high)
