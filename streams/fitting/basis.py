"""The terms that a column is given, so that steps, bends and levels all fit, none of them assumed."""

from itertools import pairwise

import numpy as np

from streams.fitting.columns import Category, Column, Floats, Numeric
from streams.fitting.terms import Factor, From, Is, Missing, Ramp

FEW_VALUES = 12
"""Up to so many different numbers each gets a step of its own."""

RICH_EVENTS = 200
"""With fewer customers of the rarer class a column of many numbers gets fewer terms."""

_STEPS = {True: (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95), False: (0.1, 0.3, 0.5, 0.7, 0.9)}
_KNOTS = {True: (0.01, 0.2, 0.4, 0.6, 0.8, 0.99), False: (0.01, 0.99)}
_COARSE = (0.2, 0.4, 0.6, 0.8, 0.9)
_COARSE_LEVELS = 4


def floor(rows: int) -> int:
    """A term must tell at least so many rows from the others."""
    return max(10, rows // 200)


def fine(column: Column, rich: bool) -> list[Factor]:
    """Main effect: one 0/1 per level, or a linear spline (`rich`, else a line) with steps at quantiles."""
    least = floor(len(column.missing()))
    if isinstance(column, Category):
        return [*_levels(column, least), *_missing(column, least)]
    known = _known(column)
    few = len(np.unique(known)) <= FEW_VALUES
    ramps = [] if few else _ramps(column.name, known, _KNOTS[rich])
    return [*_steps(column.name, known, _STEPS[rich], least), *ramps, *_missing(column, least)]


def coarse(column: Column) -> list[Factor]:
    """What a column brings into an interaction: a few steps, or its most frequent levels."""
    least = floor(len(column.missing()))
    if isinstance(column, Category):
        return [*_levels(column, least)[:_COARSE_LEVELS]]
    return [*_steps(column.name, _known(column), _COARSE, least)]


def usable_levels(column: Category, least: int) -> list[tuple[int, int]]:
    """Code and rows of the levels on at least so many rows, most frequent first."""
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels))
    order = np.argsort(-counts, kind="stable")
    return [(int(code), int(counts[code])) for code in order if counts[code] >= least]


def _levels(column: Category, least: int) -> list[Factor]:
    codes = [code for code, _ in usable_levels(column, least)]
    complete = sum(n for _, n in usable_levels(column, least)) == len(column.codes)
    # of two levels that share all rows one says it all, and the rarer is what deviates
    kept = codes[1:] if complete and len(codes) == 2 else codes
    return [Is(column.name, column.levels[code]) for code in kept]


def _missing(column: Column, least: int) -> list[Factor]:
    gone = int(column.missing().sum())
    return [Missing(column.name)] if least <= gone <= len(column.missing()) - least else []


def _known(column: Numeric) -> Floats:
    return column.values[~np.isnan(column.values)]


def _steps(name: str, known: Floats, quantiles: tuple[float, ...], least: int) -> list[Factor]:
    if not len(known):
        return []
    distinct = np.unique(known)
    at = distinct[1:] if len(distinct) <= FEW_VALUES else np.unique(np.quantile(known, quantiles, method="higher"))
    above = [int((known >= value).sum()) for value in at]
    return [From(name, float(v)) for v, n in zip(at, above, strict=True) if least <= n <= len(known) - least]


def _ramps(name: str, known: Floats, quantiles: tuple[float, ...]) -> list[Factor]:
    knots = np.unique(np.quantile(known, quantiles))
    if len(knots) < 2:
        return []
    whole = Ramp(name, float(knots[0]), float(knots[-1]))
    parts = [Ramp(name, float(low), float(high)) for low, high in pairwise(knots)] if len(knots) > 2 else []
    return [whole, *parts]
