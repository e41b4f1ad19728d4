"""Tests and intervals of the difference between two groups: shares and means."""

import math
from fractions import Fraction
from typing import NamedTuple

from streams.core.statistics.intervals import Interval
from streams.core.statistics.quantiles import t_quantile


def two_proportion_z(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Pooled test statistic of two shares, each as (successes, n); 0 where both are 0 % or both are 100 %.

    >>> round(two_proportion_z((80, 100), (90, 100)), 6)
    -1.980295
    """
    (k1, n1), (k2, n2) = first, second
    pooled = (k1 + k2) / (n1 + n2)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return (k1 / n1 - k2 / n2) / error if error else 0.0


class Moments(NamedTuple):
    """The number of whole numbers in a sample, their sum, and the sum of their squares."""

    n: int
    total: int
    squares: int

    @property
    def mean(self) -> float:
        """Their mean; `n` at least 1."""
        return self.total / self.n

    @property
    def variance_of_mean(self) -> tuple[int, int]:
        """Sample variance over `n`, exactly, as numerator and denominator; `n` at least 2."""
        return self.n * self.squares - self.total**2, self.n**2 * (self.n - 1)


def welch_z(first: Moments, second: Moments) -> float:
    """Difference of two means over its standard error (Welch 1947); both `n` at least 2.

    Where neither sample varies it is 0 for equal means and infinite for different ones.

    >>> round(welch_z(Moments(4, 10, 30), Moments(4, 14, 54)), 6)
    -1.095445
    """
    (one, of_one), (other, of_other) = first.variance_of_mean, second.variance_of_mean
    error = math.sqrt(one / of_one + other / of_other)
    difference = first.mean - second.mean
    return difference / error if error else math.copysign(math.inf, difference) if difference else 0.0


def welch_interval(first: Moments, second: Moments) -> Interval | None:
    """Interval of the difference of two means, with Student's t; None where either n is below 2.

    The degrees of freedom (Welch and Satterthwaite 1946) are rounded down, which makes the interval wider, never
    narrower.

    >>> [round(bound, 4) for bound in welch_interval(Moments(4, 10, 30), Moments(4, 14, 54)) or ()]
    [-3.2337, 1.2337]
    """
    if min(first.n, second.n) < 2:
        return None
    one, other = Fraction(*first.variance_of_mean), Fraction(*second.variance_of_mean)
    difference, both = first.mean - second.mean, one + other
    if not both:
        return difference, difference
    freedom = both**2 / (one**2 / (first.n - 1) + other**2 / (second.n - 1))
    half = t_quantile(math.floor(freedom)) * math.sqrt(both)
    return difference - half, difference + half
