"""How the share of leavers goes with one column: by value or range, and where it steps."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from streams.fitting.basis import floor, usable_levels
from streams.fitting.columns import Category, Column, Floats, Numeric

MOST_VALUES = 12
MOST_LEVELS = 8
_RANGES = 8


class Bin(NamedTuple):
    """Customers with one value or in one range: how many, and how many of them left."""

    label: str
    n: int
    left: int


class Step(NamedTuple):
    """The cut that parts leavers from stayers best: shares below and from it on, and their odds ratio."""

    at: float
    below: float
    above: float
    odds_ratio: float
    p: float


@dataclass(frozen=True)
class Rates:
    """One column against the labels, in the whole table: a description, not a forecast."""

    column: str
    bins: tuple[Bin, ...]
    step: Step | None


def rates(column: Column, y: Floats) -> Rates:
    """Rates of a column; a step only for numbers that have one (p < 0.001, Bonferroni over the cuts)."""
    parts = _by_number(column) if isinstance(column, Numeric) else _by_level(column)
    gone = column.missing()
    bins = [Bin(label, int(rows.sum()), int(y[rows].sum())) for label, rows in [*parts, ("(missing)", gone)]]
    step = _step(column, y) if isinstance(column, Numeric) else None
    return Rates(column.name, tuple(part for part in bins if part.n), step)


def _by_level(column: Category) -> Iterable[tuple[str, np.ndarray[tuple[int], np.dtype[np.bool_]]]]:
    shown = [code for code, _ in usable_levels(column, 1)[:MOST_LEVELS]]
    for code in shown:
        yield column.levels[code], column.codes == code
    yield "(other)", ~np.isin(column.codes, [*shown, -1])


def _by_number(column: Numeric) -> Iterable[tuple[str, np.ndarray[tuple[int], np.dtype[np.bool_]]]]:
    known = column.values[~column.missing()]
    distinct = np.unique(known)
    if len(distinct) <= MOST_VALUES:
        rare = max(5, len(known) // 200)
        starts = [value for place, value in enumerate(distinct) if not place or (known >= value).sum() >= rare]
    else:
        starts = list(np.unique(np.quantile(known, np.linspace(0, 1, _RANGES + 1)[:-1], method="higher")))
    for start, end in zip(starts, [*starts[1:], np.inf], strict=True):
        rows = (column.values >= start) & (column.values < end)
        yield _range(column.values[rows]), rows


def _range(values: Floats) -> str:
    low, high = values.min(), values.max()
    return f"{low:g}" if low == high else f"{low:g} – {high:g}"


def _step(column: Numeric, y: Floats) -> Step | None:
    known = ~column.missing()
    x, left = column.values[known], y[known]
    cuts = np.unique(x)[1:]
    cuts = cuts if len(cuts) <= 200 else np.unique(np.quantile(x, np.linspace(0.01, 0.99, 99), method="higher"))
    least = floor(len(y))
    cuts = np.array([cut for cut in cuts if least <= (x >= cut).sum() <= len(x) - least])
    if not len(cuts):
        return None
    z = np.array([_z(left[x >= cut], left[x < cut]) for cut in cuts])
    best = int(np.argmax(np.abs(z)))
    p = float(min(1.0, 2.0 * stats.norm.sf(abs(z[best])) * len(cuts)))
    above, below = left[x >= cuts[best]], left[x < cuts[best]]
    return (
        Step(float(cuts[best]), float(below.mean()), float(above.mean()), _odds_ratio(above, below), p)
        if p < 1e-3
        else None
    )


def _z(a: Floats, b: Floats) -> float:
    """Two shares compared, pooled."""
    pooled = (a.sum() + b.sum()) / (len(a) + len(b))
    error = np.sqrt(pooled * (1.0 - pooled) * (1.0 / len(a) + 1.0 / len(b)))
    return float((a.mean() - b.mean()) / error) if error else 0.0


def _odds_ratio(a: Floats, b: Floats) -> float:
    """With half a customer added to each cell (Haldane), so that it is always finite."""
    a_left, b_left = a.sum() + 0.5, b.sum() + 0.5
    return float((a_left / (len(a) - a.sum() + 0.5)) / (b_left / (len(b) - b.sum() + 0.5)))
