"""The factors that are offered for a column, so that steps, bends and levels can all be fitted without assuming any."""

from itertools import pairwise

import numpy as np

from streams.core.churn.terms import From, Missing, Ramp
from streams.fitting.columns import Categorical, Column, Floats, Numeric
from streams.fitting.factors import ColumnFactor, Is

FEW_VALUES = 12
"""A column with up to this many different numbers gets a step at each of them."""

MIN_EVENTS_FOR_ALL_KNOTS = 200
"""With fewer customers of the rarer class, a column of many numbers gets fewer steps and knots."""

_STEP_QUANTILES = {True: (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95), False: (0.1, 0.3, 0.5, 0.7, 0.9)}
_KNOT_QUANTILES = {True: (0.01, 0.2, 0.4, 0.6, 0.8, 0.99), False: (0.01, 0.99)}
_INTERACTION_QUANTILES = (0.2, 0.4, 0.6, 0.8, 0.9)
_INTERACTION_LEVELS = 4


def min_support(rows: int) -> int:
    """A factor must be 1 in at least this many rows, and 0 in as many."""
    return max(10, rows // 200)


def main_factors(column: Column, all_knots: bool) -> list[ColumnFactor]:
    """The factors of a main effect: one per level of a category, or steps and a linear spline at quantiles.

    Without `all_knots` the spline is one straight line and the steps are fewer.
    """
    support = min_support(len(column.missing()))
    if isinstance(column, Categorical):
        return [*_level_factors(column, support), *_missing_factor(column, support)]
    known = _known(column)
    is_coarse = len(np.unique(known)) <= FEW_VALUES
    ramps = [] if is_coarse else _ramps(column.name, known, _KNOT_QUANTILES[all_knots])
    steps = _steps(column.name, known, _STEP_QUANTILES[all_knots], support)
    return [*steps, *ramps, *_missing_factor(column, support)]


def interaction_factors(column: Column) -> list[ColumnFactor]:
    """The factors a column brings into an interaction: a few steps, or its most frequent levels."""
    support = min_support(len(column.missing()))
    if isinstance(column, Categorical):
        return [*_level_factors(column, support)[:_INTERACTION_LEVELS]]
    return [*_steps(column.name, _known(column), _INTERACTION_QUANTILES, support)]


def frequent_levels(column: Categorical, min_rows: int) -> list[tuple[int, int]]:
    """Code and number of rows of each level on at least `min_rows` rows, most frequent first."""
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels))
    order = np.argsort(-counts, kind="stable")
    return [(int(code), int(counts[code])) for code in order if counts[code] >= min_rows]


def _level_factors(column: Categorical, support: int) -> list[Is]:
    levels = frequent_levels(column, support)
    codes = [code for code, _ in levels]
    is_complete = sum(n for _, n in levels) == len(column.codes)
    # two levels that share all rows are each other's complement; the rarer one is kept as the deviation
    kept = codes[1:] if is_complete and len(codes) == 2 else codes
    return [Is(column.name, column.levels[code]) for code in kept]


def _missing_factor(column: Column, support: int) -> list[Missing]:
    missing = int(column.missing().sum())
    return [Missing(column.name)] if support <= missing <= len(column.missing()) - support else []


def _known(column: Numeric) -> Floats:
    return column.values[~np.isnan(column.values)]


def _steps(name: str, known: Floats, quantiles: tuple[float, ...], support: int) -> list[From]:
    if not len(known):
        return []
    distinct = np.unique(known)
    cuts = distinct[1:] if len(distinct) <= FEW_VALUES else np.unique(np.quantile(known, quantiles, method="higher"))
    above = [int((known >= cut).sum()) for cut in cuts]
    return [From(name, float(c)) for c, n in zip(cuts, above, strict=True) if support <= n <= len(known) - support]


def _ramps(name: str, known: Floats, quantiles: tuple[float, ...]) -> list[Ramp]:
    knots = np.unique(np.quantile(known, quantiles))
    if len(knots) < 2:
        return []
    whole = Ramp(name, float(knots[0]), float(knots[-1]))
    parts = [Ramp(name, float(low), float(high)) for low, high in pairwise(knots)] if len(knots) > 2 else []
    return [whole, *parts]
