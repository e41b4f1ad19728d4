"""Intervals and comparisons of shares, means and NPS; all at 95 %, all from exact integer counts."""

import math
from functools import lru_cache

Interval = tuple[float, float]
"""Lower and upper bound of a 95 % confidence interval."""

Z95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""


def wilson(successes: int, n: int) -> Interval:
    """Wilson's score interval of a share (Wilson 1927); `n` at least 1.

    >>> [round(bound, 6) for bound in wilson(8, 10)]
    [0.490162, 0.943318]
    """
    square = Z95 * Z95
    centre = successes + square / 2
    half = Z95 * math.sqrt(successes * (n - successes) / n + square / 4)
    return max(0.0, (centre - half) / (n + square)), min(1.0, (centre + half) / (n + square))


def nps_variance(promoters: float, detractors: float, n: float) -> float:
    """Population variance of one answer counted +1, 0 or −1: `p + d − (p − d)²`; at most 1.

    >>> round(nps_variance(162, 54, 324), 6)
    0.555556
    """
    return (promoters + detractors) / n - ((promoters - detractors) / n) ** 2


def adjusted_wald_nps(promoters: int, detractors: int, n: int) -> Interval:
    """Interval of NPS in points, −100…100 (Rocks 2016, "3,T"): ¾ of an answer added to either side, 3 to n.

    The raw NPS may lie outside it at tiny n.

    >>> [round(bound, 3) for bound in adjusted_wald_nps(10, 0, 10)]
    [47.504, 100.0]
    """
    value, error = adjusted_nps(promoters, detractors, n)
    return max(-100.0, value - Z95 * error), min(100.0, value + Z95 * error)


def nps_z(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    """Test statistic of two NPS, each as (promoters, detractors, n), on the adjusted values.

    Positive when the first is higher; standard normal when both come from the same customers.

    >>> round(nps_z((341, 437, 962), (307, 638, 1130)), 5)
    4.99319
    """
    (one, one_error), (other, other_error) = adjusted_nps(*first), adjusted_nps(*second)
    return (one - other) / math.hypot(one_error, other_error)


def adjusted_nps(promoters: int, detractors: int, n: int) -> tuple[float, float]:
    """Value and standard error in points, of the adjusted counts; `n` may be 0.

    >>> [round(number, 4) for number in adjusted_nps(291, 395, 1162)]
    [-8.927, 2.2354]
    """
    up, down, total = promoters + 0.75, detractors + 0.75, n + 3
    return 100 * (up - down) / total, 100 * math.sqrt(nps_variance(up, down, total) / total)


def nps_answers_needed(margin: float, variance: float = 1.0, z: float = Z95) -> int:
    """Answers needed for an NPS known to ± `margin` points; `variance` is 0.67 in practice, 1 at worst.

    >>> nps_answers_needed(10, 0.67)
    255
    """
    return math.ceil(z * z * variance / (margin / 100) ** 2 - 3)


def two_proportion_z(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Pooled test statistic of two shares, each as (successes, n); 0 where neither can differ.

    >>> round(two_proportion_z((80, 100), (90, 100)), 6)
    -1.980295
    """
    (k1, n1), (k2, n2) = first, second
    pooled = (k1 + k2) / (n1 + n2)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return (k1 / n1 - k2 / n2) / error if error else 0.0


def two_sided_p(z: float) -> float:
    """Chance of a standard normal value at least as far from 0 as `z`.

    >>> round(two_sided_p(-1.980295), 5)
    0.04767
    """
    return math.erfc(abs(z) / math.sqrt(2))


def odds_ratio(exposed: tuple[int, int], unexposed: tuple[int, int]) -> tuple[float, Interval]:
    """Odds ratio with Woolf's logit interval, each group as (with the outcome, without); counts above 0.

    >>> round(odds_ratio((138, 129), (345, 2721))[0], 5)
    8.43721
    """
    counts = (*exposed, *unexposed)
    ratio = exposed[0] * unexposed[1] / (exposed[1] * unexposed[0])
    factor = math.exp(Z95 * math.sqrt(sum(1 / count for count in counts)))
    return ratio, (ratio / factor, ratio * factor)


def compound_churn(rate: float, periods: int = 12) -> float:
    """Share of customers gone after `periods` of which each loses `rate`: `1 − (1 − rate)ⁿ`.

    >>> round(compound_churn(0.05), 6)
    0.45964
    """
    return -math.expm1(periods * math.log1p(-rate)) if rate < 1 else 1.0


def mean_interval(total: int, squares: int, n: int) -> Interval | None:
    """Student's interval of a mean, from the sum and the sum of squares of n whole numbers.

    The sample deviation is exact, however large the sums. None at n = 1, where there is none.

    >>> [round(bound, 4) for bound in mean_interval(47, 263, 10) or ()]
    [3.1528, 6.2472]
    """
    if n < 2:
        return None
    mean, spread = total / n, (n * squares - total * total) / (n * (n - 1))
    half = t_quantile(n - 1) * math.sqrt(spread / n)
    return mean - half, mean + half


_EXPANSION_FROM = 200


@lru_cache(maxsize=8_192)
def t_quantile(freedom: int) -> float:
    """The 97.5 % quantile of Student's t with `freedom` ≥ 1 degrees of freedom, to 12 digits.

    Newton's method on the closed form of the distribution (Abramowitz & Stegun 26.7.3–4), which is
    concave, so that it rises to the root from z; from 200 degrees on the expansion 26.7.5.

    >>> round(t_quantile(1), 6), round(t_quantile(10), 6)
    (12.706205, 2.228139)
    """
    if freedom >= _EXPANSION_FROM:
        return _t_expansion(freedom)
    scale = 2 * math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    t, step = Z95, 1.0
    while step > 1e-13 * t:
        density = scale * (1 + t * t / freedom) ** (-(freedom + 1) / 2)
        step = (0.95 - _t_central(t, freedom)) / density
        t += step
    return t


def _t_central(t: float, freedom: int) -> float:
    """Chance of a value between −t and t."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    odd = freedom % 2
    term, series = (math.cos(angle), 0.0) if odd else (1.0, 0.0)
    for k in range(1 + odd, freedom, 2):
        series += term
        term *= square * k / (k + 1)
    return 2 / math.pi * (angle + sine * series) if odd else sine * series


def _t_expansion(freedom: int) -> float:
    z = Z95
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(term / float(freedom) ** power for power, term in enumerate(terms, start=1))
