"""Which columns may go into a model: what identifies, repeats or betrays is left out or refused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.errors import ConfigError
from streams.fitting.basis import floor, usable_levels
from streams.fitting.columns import Category, Column, Floats, Frame, Ints, Numeric
from streams.fitting.figures import delong

LEAK = 0.99
"""A column that alone reaches this AUC says what happened, not what will."""

SUSPECT = 0.95
FEWEST = 30
NO_CHANCE = 1e-9
"""So many rows, that would all be leavers with a smaller chance than this were they any, tell of the leaving itself."""

_ID_NAME = re.compile(
    r"(?:^|[^a-z])(?:customer|client|subscriber|member|ids?|u?uid|guid|key|phone|telephone|mobile|msisdn|e-?mail|index|row|number|no|nr|num|ref|code)"
    r"(?:$|[^a-z])"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}(?: .*)?")
_BINS = 20


@dataclass(frozen=True)
class Screened:
    """The columns to fit from, those left out with the reason, and what to look at."""

    frame: Frame
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def screen(columns: Sequence[Column], y: Floats, *, timed: bool = False) -> Screened:
    """Sort the columns; all reasons but leakage are found without looking at the labels.

    `timed` says that all of it was known at the time of the labels, so that who has a value at all is no leak.
    Raises `ConfigError` naming every column that leaks, and when no column is left.
    """
    frame: Frame = {}
    left_out: list[tuple[str, str]] = []
    useless = {column.name: _useless(column) for column in columns}
    for column in columns:
        reason = useless[column.name] or _repeated(column, frame)
        if reason:
            left_out.append((column.name, reason))
        else:
            frame[column.name] = column
    alone = {column.name: _alone(column, y, useless[column.name] is None) for column in columns}
    _refuse_leaks(alone, columns, y, timed)
    if not frame:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out)
        raise ConfigError(f"no column is left to learn from ({reasons}); bring columns that describe the customers")
    notes = [
        f"{name} alone reaches an AUC of {auc:.2f}: make sure that it was known before the customer left"
        for name, auc in alone.items() if auc >= SUSPECT
    ]  # fmt: skip
    notes += [note for column in frame.values() if isinstance(column, Category) for note in _pure_levels(column, y)]
    if not timed:
        notes += [
            f"{column.name} is {state} only where the customer stayed: make sure that it was known before"
            for column in frame.values() if (state := _telling(column, 1.0 - y))
        ]  # fmt: skip
    return Screened(frame, tuple(left_out), tuple(notes))


def _useless(column: Column) -> str | None:
    missing = column.missing()
    if missing.all():
        return "has no values"
    return _useless_numbers(column) if isinstance(column, Numeric) else _useless_levels(column)


def _useless_numbers(column: Numeric) -> str | None:
    known = column.values[~column.missing()]
    distinct = len(np.unique(known))
    if distinct == 1 and len(known) == len(column.values):
        return f"is always {known[0]:g}"
    whole = bool((known == np.round(known)).all())
    if not whole or distinct < 0.99 * len(known) or len(known) < len(column.values) / 2:
        return None
    consecutive = known.max() - known.min() + 1 <= 1.01 * distinct or bool((np.diff(known) > 0).all())
    if consecutive or _ID_NAME.search(_CAMEL.sub(" ", column.name).casefold()):
        return "looks like an identifier: another whole number in nearly every row" + _doubles(len(known), distinct)
    return None


def _doubles(n: int, distinct: int) -> str:
    return f" ({n - distinct:,} repeat one; if it names the customer, say so with --id)" if n > distinct else ""


def _useless_levels(column: Category) -> str | None:
    codes = column.codes[column.codes >= 0]
    distinct = len(np.unique(codes))
    if distinct == 1 and len(codes) == len(column.codes):
        return f"is always {column.levels[codes[0]]!r}"
    if np.mean([bool(_DATE.fullmatch(level)) for level in column.levels]) > 0.9:
        return "holds dates: give the time from them to a fixed day as a number, in days"
    if distinct > max(20, len(codes) / 2):
        return f"looks like an identifier or free text: {distinct:,} different values in {len(codes):,} rows"
    least = floor(len(column.codes))
    covered = sum(n for _, n in usable_levels(column, least))
    if covered < len(codes) / 2:
        return f"has {distinct:,} different values, most of them on fewer than {least} rows: group them"
    return None


def _repeated(column: Column, frame: Frame) -> str | None:
    """The first column before this one that says the same in other numbers or words."""
    for other in frame.values():
        if isinstance(column, Numeric) and isinstance(other, Numeric) and _linear(column.values, other.values):
            return f"says the same as {other.name}"
        if isinstance(column, Category) and isinstance(other, Category) and _relabelled(column.codes, other.codes):
            return f"says the same as {other.name}"
    return None


def _linear(a: Floats, b: Floats) -> bool:
    known = ~np.isnan(a)
    if not np.array_equal(known, ~np.isnan(b)):
        return False
    x, z = a[known] - a[known].mean(), b[known] - b[known].mean()
    size = float(np.sqrt((x @ x) * (z @ z)))
    return size > 0 and abs(float(x @ z)) > 0.99999 * size


def _relabelled(a: Ints, b: Ints) -> bool:
    pairs = len(np.unique(np.column_stack([a, b]), axis=0))
    return pairs == len(np.unique(a)) == len(np.unique(b)) and np.array_equal(a < 0, b < 0)


def _alone(column: Column, y: Floats, useful: bool) -> float:
    """The AUC this column reaches by being there or not, and, if it is useful, by its order or its values."""
    scores = [column.missing().astype(np.float64)]
    if useful:
        bins = _bins(column)
        scores.append(_rates_elsewhere(bins, y))
        if isinstance(column, Numeric):
            scores.append(np.nan_to_num(column.values, nan=float(np.nanmedian(column.values))))
    areas = [delong(y, score)[0] for score in scores]
    return max(max(area, 1.0 - area) for area in areas)


def _bins(column: Column) -> Ints:
    """A number from 0 for each value, or for each twentieth of many numbers; missing has its own."""
    if isinstance(column, Category):
        return column.codes + 1
    known = column.values[~column.missing()]
    edges = np.unique(known)
    if len(edges) > 5 * _BINS:
        edges = np.unique(np.quantile(known, np.linspace(0.0, 1.0, _BINS + 1)[:-1], method="higher"))
    codes = np.searchsorted(edges, np.nan_to_num(column.values, nan=-np.inf), side="right")
    return np.where(column.missing(), 0, codes).astype(np.int64)


def _rates_elsewhere(bins: Ints, y: Floats) -> Floats:
    """The share of leavers in the same bin of the other half of the rows: what a value tells of new customers."""
    half: NDArray[np.int64] = np.empty(len(y), dtype=np.int64)
    for value in (0.0, 1.0):
        half[y == value] = np.arange(int((y == value).sum())) % 2
    rates, size = np.empty(len(y)), int(bins.max()) + 1
    for side in (0, 1):
        other = half != side
        n, left = np.bincount(bins[other], minlength=size), np.bincount(bins[other], y[other], minlength=size)
        rates[half == side] = ((left + y.mean()) / (n + 1.0))[bins[half == side]]
    return rates


def _refuse_leaks(alone: dict[str, float], columns: Sequence[Column], y: Floats, timed: bool) -> None:
    telling = {column.name: _telling(column, y) for column in columns}
    leaks = [column.name for column in columns if alone[column.name] >= LEAK or (telling[column.name] and not timed)]
    if leaks:
        shown = ", ".join(f"{name} (AUC {alone[name]:.3f}{_said(telling[name])})" for name in leaks)
        raise ConfigError(
            f"{shown}: alone enough to tell who left, so recorded with or after the leaving, or made from the label; "
            f'take out what was not known before: --drop "{",".join(leaks)}"'
        )


def _telling(column: Column, y: Floats) -> str:
    """Whether it is `filled`, or `empty`, for leavers and for nobody else; else nothing."""
    gone = column.missing()
    return next((state for state, rows in (("filled", ~gone), ("empty", gone)) if _all_left(y[rows], y)), "")


def _said(state: str) -> str:
    return f", it is {state} only where the customer left" if state else ""


def _pure_levels(column: Category, y: Floats) -> list[str]:
    return [
        f"all {int((column.codes == code).sum()):,} customers with {level!r} in {column.name} have left: "
        "make sure that it was known before"
        for code, level in enumerate(column.levels) if _all_left(y[column.codes == code], y)
    ]  # fmt: skip


def _all_left(some: Floats, y: Floats) -> bool:
    """Whether all of them have left, and they are too many for that to be chance."""
    return len(some) >= FEWEST and bool(some.all()) and float(y.mean()) ** len(some) < NO_CHANCE
