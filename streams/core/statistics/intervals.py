"""95 % confidence intervals of shares, means and NPS, from exact integer counts."""

import math

from streams.core.statistics.quantiles import Z95, t_quantile

Interval = tuple[float, float]
"""Lower and upper bound of a 95 % confidence interval."""


def wilson(successes: int, n: int) -> Interval:
    """Wilson's score interval of a share (Wilson 1927); `n` at least 1.

    >>> [round(bound, 6) for bound in wilson(8, 10)]
    [0.490162, 0.943318]
    """
    square = Z95 * Z95
    centre = successes + square / 2
    half = Z95 * math.sqrt(successes * (n - successes) / n + square / 4)
    return max(0.0, (centre - half) / (n + square)), min(1.0, (centre + half) / (n + square))


def mean_interval(total: int, squares: int, n: int) -> Interval | None:
    """Student's interval of a mean, from the sum and the sum of squares of n whole numbers; None at n = 1.

    The sample variance is computed in integers, so it is exact however large the sums are.

    >>> [round(bound, 4) for bound in mean_interval(47, 263, 10) or ()]
    [3.1528, 6.2472]
    """
    if n < 2:
        return None
    mean, variance = total / n, (n * squares - total * total) / (n * (n - 1))
    half = t_quantile(n - 1) * math.sqrt(variance / n)
    return mean - half, mean + half


def nps_variance(promoters: float, detractors: float, n: float) -> float:
    """Population variance of one answer counted +1, 0 or −1: `p + d − (p − d)²`; at most 1.

    >>> round(nps_variance(162, 54, 324), 6)
    0.555556
    """
    return (promoters + detractors) / n - ((promoters - detractors) / n) ** 2


def adjusted_nps(promoters: int, detractors: int, n: int) -> tuple[float, float]:
    """NPS and its standard error in points, with ¾ of an answer added to promoters and to detractors and 3 to n.

    `n` may be 0. The adjustment is "3,T" of Rocks (2016).

    >>> [round(number, 4) for number in adjusted_nps(291, 395, 1162)]
    [-8.927, 2.2354]
    """
    up, down, total = promoters + 0.75, detractors + 0.75, n + 3
    return 100 * (up - down) / total, 100 * math.sqrt(nps_variance(up, down, total) / total)


def adjusted_wald_nps(promoters: int, detractors: int, n: int) -> Interval:
    """Adjusted Wald interval of NPS in points, cut off at −100 and 100 (Rocks 2016, "3,T").

    At a very small n the raw NPS may lie outside it.

    >>> [round(bound, 3) for bound in adjusted_wald_nps(10, 0, 10)]
    [47.504, 100.0]
    """
    value, error = adjusted_nps(promoters, detractors, n)
    return max(-100.0, value - Z95 * error), min(100.0, value + Z95 * error)
