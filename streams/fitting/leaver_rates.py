"""The share of leavers by the values of one column, and the cut at which it changes most."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from streams.fitting.column_factors import frequent_levels, min_support
from streams.fitting.columns import Categorical, Column, Floats, Numeric

MAX_VALUES = 12
MAX_LEVELS = 8
_RANGES = 8
_MAX_CUTS = 200
_MAX_P = 1e-3

_LabelledRows: TypeAlias = Iterable[tuple[str, NDArray[np.bool_]]]


class Bin(NamedTuple):
    """The customers with one value or in one range: how many there are, and how many of them left."""

    label: str
    n: int
    left: int


class Step(NamedTuple):
    """The cut that best separates leavers from stayers: their shares below it and from it on, and the odds ratio."""

    at: float
    below: float
    above: float
    odds_ratio: float
    p: float


@dataclass(frozen=True)
class LeaverRates:
    """One column against the labels of the whole table: a description, not a forecast."""

    column: str
    bins: tuple[Bin, ...]
    step: Step | None


def leaver_rates(column: Column, y: Floats) -> LeaverRates:
    """The rates of a column; a step only for numbers that have one (p < 0.001, Bonferroni over the cuts)."""
    parts = _by_number(column) if isinstance(column, Numeric) else _by_level(column)
    labelled = [*parts, ("(missing)", column.missing())]
    bins = [Bin(label, int(rows.sum()), int(y[rows].sum())) for label, rows in labelled]
    step = _step(column, y) if isinstance(column, Numeric) else None
    return LeaverRates(column.name, tuple(part for part in bins if part.n), step)


def _by_level(column: Categorical) -> _LabelledRows:
    codes = [code for code, _ in frequent_levels(column, 1)[:MAX_LEVELS]]
    for code in codes:
        yield column.levels[code], column.codes == code
    yield "(other)", ~np.isin(column.codes, [*codes, -1])


def _by_number(column: Numeric) -> _LabelledRows:
    starts = _range_starts(column.values[~column.missing()])
    for start, end in zip(starts, [*starts[1:], np.inf], strict=True):
        rows = (column.values >= start) & (column.values < end)
        yield _range_text(column.values[rows]), rows


def _range_starts(known: Floats) -> list[float]:
    """Each of few values, where enough rows have it or more; or the quantiles of many."""
    distinct = np.unique(known)
    if len(distinct) > MAX_VALUES:
        return list(np.unique(np.quantile(known, np.linspace(0, 1, _RANGES + 1)[:-1], method="higher")))
    min_rows = max(5, len(known) // 200)
    return [value for place, value in enumerate(distinct) if not place or (known >= value).sum() >= min_rows]


def _range_text(values: Floats) -> str:
    low, high = values.min(), values.max()
    return f"{low:g}" if low == high else f"{low:g} – {high:g}"


def _step(column: Numeric, y: Floats) -> Step | None:
    known = ~column.missing()
    x, left = column.values[known], y[known]
    cuts = _cuts(x, min_support(len(y)))
    if not len(cuts):
        return None
    z = np.array([_z(left[x >= cut], left[x < cut]) for cut in cuts])
    best = int(np.argmax(np.abs(z)))
    p = float(min(1.0, 2.0 * stats.norm.sf(abs(z[best])) * len(cuts)))
    if p >= _MAX_P:
        return None
    above, below = left[x >= cuts[best]], left[x < cuts[best]]
    return Step(float(cuts[best]), float(below.mean()), float(above.mean()), _odds_ratio(above, below), p)


def _cuts(x: Floats, support: int) -> Floats:
    """The cuts with enough rows on both sides: all of them, or percentiles where there are many."""
    cuts = np.unique(x)[1:]
    if len(cuts) > _MAX_CUTS:
        cuts = np.unique(np.quantile(x, np.linspace(0.01, 0.99, 99), method="higher"))
    return np.array([cut for cut in cuts if support <= (x >= cut).sum() <= len(x) - support])


def _z(a: Floats, b: Floats) -> float:
    """The difference of two shares in standard errors, pooled."""
    pooled = (a.sum() + b.sum()) / (len(a) + len(b))
    error = np.sqrt(pooled * (1.0 - pooled) * (1.0 / len(a) + 1.0 / len(b)))
    return float((a.mean() - b.mean()) / error) if error else 0.0


def _odds_ratio(a: Floats, b: Floats) -> float:
    """With half a customer added to each cell (Haldane), so that it is always finite."""
    return _odds(a) / _odds(b)


def _odds(y: Floats) -> float:
    left = y.sum() + 0.5
    return float(left / (len(y) - y.sum() + 0.5))
