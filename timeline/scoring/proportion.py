"""How well a share is known that was counted on a random sample."""

from math import sqrt

Z_95 = 1.959963984540054
"""The normal distribution's 0.975 quantile: 95 % lie within so many deviations of the mean."""


def wilson_interval(hits: int, trials: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share: Wilson's score interval.

    It holds for few trials and for shares near 0 and 1, too (E. B. Wilson, "Probable Inference, the
    Law of Succession, and Statistical Inference", JASA 22, 1927).

    Args:
        hits: how often it was so.
        trials: of how many; 0 tell nothing.
    """
    if trials == 0:
        return 0.0, 1.0
    share = hits / trials
    spread = Z_95 * Z_95 / trials
    middle = share + spread / 2
    half = Z_95 * sqrt(share * (1 - share) / trials + spread / trials / 4)
    low, high = ((middle + side * half) / (1 + spread) for side in (-1, 1))
    return max(0.0, low), min(1.0, high)
