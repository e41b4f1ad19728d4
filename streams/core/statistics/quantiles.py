"""Quantiles of the standard normal distribution and of Student's t."""

import math
from functools import lru_cache

Z95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution, for two-sided intervals at 95 %."""

Z95_ONE_SIDED = 1.6448536269514722
"""The 95 % quantile of the standard normal distribution, for one-sided tests at 5 %."""

_EXPANSION_FROM = 200


@lru_cache(maxsize=8_192)
def t_quantile(freedom: int) -> float:
    """The 97.5 % quantile of Student's t with `freedom` ≥ 1 degrees of freedom, to 12 digits.

    Below 200 degrees of freedom it is found by Newton's method on the closed form of the distribution
    (Abramowitz & Stegun 26.7.3–4). That form is concave, so the steps rise from z to the root without overshooting.
    From 200 on it is the expansion 26.7.5.

    >>> round(t_quantile(1), 6), round(t_quantile(10), 6)
    (12.706205, 2.228139)
    """
    if freedom >= _EXPANSION_FROM:
        return _t_expansion(freedom)
    scale = 2 * math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    t, step = Z95, 1.0
    while step > 1e-13 * t:
        density = scale * (1 + t * t / freedom) ** (-(freedom + 1) / 2)
        step = (0.95 - _central_probability(t, freedom)) / density
        t += step
    return t


def _central_probability(t: float, freedom: int) -> float:
    """The probability of a value between −t and t."""
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
