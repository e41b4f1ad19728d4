"""Textbook formulas that the tests compare with; no score computes them, and they share no code with the scores."""

import math
from statistics import NormalDist, fmean, pvariance

NORMAL = NormalDist()


def nps_z(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    """Test statistic of two NPS, each as (promoters, detractors, n), on the adjusted values ("3,T" of Rocks 2016).

    Positive when the first is higher. Standard normal when both samples come from the same population.

    >>> round(nps_z((341, 437, 962), (307, 638, 1130)), 5)
    4.99319
    """
    (one, one_error), (other, other_error) = _adjusted(*first), _adjusted(*second)
    return (one - other) / math.hypot(one_error, other_error)


def _adjusted(promoters: int, detractors: int, n: int) -> tuple[float, float]:
    """Mean and standard error of answers worth 1, 0 and −1, with ¾ answer more at either end and 1½ in the middle."""
    quarters = [1] * (4 * promoters + 3) + [0] * (4 * (n - promoters - detractors) + 6) + [-1] * (4 * detractors + 3)
    return fmean(quarters), math.sqrt(pvariance(quarters) / (n + 3))


def nps_answers_needed(margin: float, variance: float = 1.0, z: float = NORMAL.inv_cdf(0.975)) -> int:
    """Answers needed for an NPS known to ± `margin` points; `variance` is 0.67 in practice, at most 1.

    >>> nps_answers_needed(10, 0.67)
    255
    """
    return math.ceil(z * z * variance / (margin / 100) ** 2 - 3)


def two_sided_p(z: float) -> float:
    """Probability that a standard normal value is at least as far from 0 as `z`.

    >>> round(two_sided_p(-1.980295), 5)
    0.04767
    """
    return 2 * NORMAL.cdf(-abs(z))


def odds_ratio(exposed: tuple[int, int], unexposed: tuple[int, int]) -> tuple[float, tuple[float, float]]:
    """Odds ratio with Woolf's logit interval; each group is (with the outcome, without it), all counts above 0.

    >>> round(odds_ratio((138, 129), (345, 2721))[0], 5)
    8.43721
    """
    counts = (*exposed, *unexposed)
    ratio = (exposed[0] / exposed[1]) / (unexposed[0] / unexposed[1])
    half = NORMAL.inv_cdf(0.975) * math.sqrt(sum(1 / count for count in counts))
    return ratio, (math.exp(math.log(ratio) - half), math.exp(math.log(ratio) + half))


def compound_churn(rate: float, periods: int = 12) -> float:
    """Share of customers who have left after `periods`, in each of which a share `rate` of those present leaves.

    >>> round(compound_churn(0.05), 6)
    0.45964
    """
    return float(1 - (1 - rate) ** periods)
