"""Means and shares with their intervals, by the textbook."""

import math
import statistics
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.stats

Facts = tuple[int, ...]


@dataclass(frozen=True)
class Summary:
    """Value and interval, unrounded."""

    value: float | None
    lower: float | None
    upper: float | None
    n: int
    counts: dict[str, int]


def mean(values: list[int], low: float, high: float, counts: dict[str, int], unit: int = 1) -> Summary | None:
    if not values:
        return None
    middle, n = statistics.fmean(values) / unit, len(values)
    if n == 1:
        return Summary(middle, None, None, n, counts)
    half = student(n - 1) * statistics.stdev(values) / math.sqrt(n) / unit
    return Summary(middle, max(low, middle - half), min(high, middle + half), n, counts)


@cache
def student(freedom: int) -> float:
    return float(scipy.stats.t.ppf(0.975, freedom))


def share(hits: int, n: int, label: str, **more: int) -> Summary | None:
    return Summary(hits / n, *wilson(hits, n), n, {label: hits, **more}) if n else None


@cache
def wilson(hits: int, n: int) -> tuple[float, float]:
    """The two shares p from which hits/n lies 1.96 standard errors away: (hits/n − p)² = z²·p(1 − p)/n."""
    z2, p = statistics.NormalDist().inv_cdf(0.975) ** 2, hits / n
    lower, upper = sorted(float(root.real) for root in np.roots([1 + z2 / n, -2 * p - z2 / n, p * p]))
    return lower, upper
