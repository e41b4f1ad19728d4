"""Two groups compared: means, shares, and shares within strata."""

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from streams.core.statistics.intervals import Z95, Interval, t_quantile

Z95_ONE_SIDED = 1.6448536269514722
"""The 95 % quantile of the standard normal distribution."""


class Moments(NamedTuple):
    """How many whole numbers, their sum, and the sum of their squares."""

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
    """Difference of two means over its standard error (Welch 1947); infinite where nothing varies but the means.

    >>> round(welch_z(Moments(4, 10, 30), Moments(4, 14, 54)), 6)
    -1.095445
    """
    (one, of_one), (other, of_other) = first.variance_of_mean, second.variance_of_mean
    error = math.sqrt(one / of_one + other / of_other)
    difference = first.mean - second.mean
    return difference / error if error else math.copysign(math.inf, difference) if difference else 0.0


def welch_interval(first: Moments, second: Moments) -> Interval | None:
    """Interval of the difference of two means, with Student's t.

    Its degrees of freedom (Welch and Satterthwaite 1946) are rounded down. None where either n is below 2.

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


class Stratum(NamedTuple):
    """One group and its peers within a stratum: with the outcome, and without it."""

    hits: int
    misses: int
    peer_hits: int
    peer_misses: int

    @property
    def is_informative(self) -> bool:
        """Whether there is something on both sides."""
        return self.hits + self.misses > 0 and self.peer_hits + self.peer_misses > 0


def mantel_haenszel_z(strata: Iterable[Stratum]) -> float:
    """Test of no difference within any stratum (Cochran 1954, Mantel and Haenszel 1959), without continuity correction.

    Positive when the outcome is more frequent than among the peers; 0 where it cannot differ.

    >>> round(mantel_haenszel_z([Stratum(80, 20, 90, 10)]), 6)
    -1.975338
    """
    excess = variance = 0.0
    for one in strata:
        own, peers = one.hits + one.misses, one.peer_hits + one.peer_misses
        hits, n = one.hits + one.peer_hits, own + peers
        if own and peers:
            excess += one.hits - own * hits / n
            variance += own * peers * hits * (n - hits) / (n * n * (n - 1))
    return excess / math.sqrt(variance) if variance else 0.0


def mantel_haenszel_odds(strata: Iterable[Stratum]) -> tuple[float, Interval] | None:
    """Common odds ratio with the interval of Robins, Breslow and Greenland (1986); None where it is 0 or has no bound.

    Of a single stratum it is the plain odds ratio with Woolf's interval.

    >>> ratio, interval = mantel_haenszel_odds([Stratum(138, 129, 345, 2721)]) or (0.0, (0.0, 0.0))
    >>> round(ratio, 5), [round(bound, 5) for bound in interval]
    (8.43721, [6.47385, 10.99601])
    """
    r_sum = s_sum = pr = ps_qr = qs = 0.0
    for hits, misses, peer_hits, peer_misses in strata:
        n = hits + misses + peer_hits + peer_misses
        if n:
            p, q = (hits + peer_misses) / n, (misses + peer_hits) / n
            r, s = hits * peer_misses / n, misses * peer_hits / n
            r_sum, s_sum = r_sum + r, s_sum + s
            pr, ps_qr, qs = pr + p * r, ps_qr + p * s + q * r, qs + q * s
    if not r_sum or not s_sum:
        return None
    variance = pr / (2 * r_sum**2) + ps_qr / (2 * r_sum * s_sum) + qs / (2 * s_sum**2)
    ratio, factor = r_sum / s_sum, math.exp(Z95 * math.sqrt(variance))
    return ratio, (ratio / factor, ratio * factor)
