"""Columns that betray the label: recorded with or after the leaving, or made from the label."""

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streams.errors import ConfigError
from streams.fitting.auc import delong
from streams.fitting.columns import Categorical, Column, Floats, Frame, Ints, Numeric

LEAK_AUC = 0.99
"""A column that alone reaches this AUC records what happened and does not forecast it."""

SUSPECT_AUC = 0.95
MIN_PURE_ROWS = 30
MAX_PURE_CHANCE = 1e-9
"""When at least that many rows are all leavers, and random rows would all be so with a smaller chance than this,
the rows tell of the leaving itself."""

_BINS = 20
_ADVICE = "make sure that it was known before"

State: TypeAlias = Literal["filled", "empty"]


def single_auc(column: Column, y: Floats, *, by_value: bool) -> float:
    """The AUC that this column reaches by where it has a value and, `by_value`, by its order or its values."""
    scores = [column.missing().astype(np.float64)]
    if by_value:
        scores.append(_rates_in_other_half(_bins(column), y))
        if isinstance(column, Numeric):
            scores.append(np.nan_to_num(column.values, nan=float(np.nanmedian(column.values))))
    aucs = [delong(y, score)[0] for score in scores]
    return max(max(auc, 1.0 - auc) for auc in aucs)


def refuse_leaks(columns: Sequence[Column], aucs: dict[str, float], y: Floats, *, timed: bool) -> None:
    """Raise `ConfigError` naming every column that leaks, with the option that drops them all."""
    pure = {column.name: _pure_state(column, y) for column in columns}
    leaks = [name for name, state in pure.items() if aucs[name] >= LEAK_AUC or (state and not timed)]
    if leaks:
        listed = ", ".join(f"{name} (AUC {aucs[name]:.3f}{_only_leavers(pure[name])})" for name in leaks)
        raise ConfigError(
            f"{listed}: alone enough to tell who left, so recorded with or after the leaving, or made from the label; "
            f'take out what was not known before: --drop "{",".join(leaks)}"'
        )


def leak_notes(frame: Frame, aucs: dict[str, float], y: Floats, *, timed: bool) -> Iterator[str]:
    """Notes on columns that may be leaks, and that the user has to judge."""
    for name, auc in aucs.items():
        if auc >= SUSPECT_AUC:
            yield f"{name} alone reaches an AUC of {auc:.2f}: make sure that it was known before the customer left"
    for column in frame.values():
        if isinstance(column, Categorical):
            yield from _pure_levels(column, y)
    for column in frame.values() if not timed else ():
        if state := _pure_state(column, 1.0 - y):
            yield f"{column.name} is {state} only where the customer stayed: {_ADVICE}"


def _bins(column: Column) -> Ints:
    """A number from 0 for each value, or for each twentieth of many numbers; missing has its own."""
    if isinstance(column, Categorical):
        return column.codes + 1
    known = column.values[~column.missing()]
    edges = np.unique(known)
    if len(edges) > 5 * _BINS:
        edges = np.unique(np.quantile(known, np.linspace(0.0, 1.0, _BINS + 1)[:-1], method="higher"))
    codes = np.searchsorted(edges, np.nan_to_num(column.values, nan=-np.inf), side="right")
    return np.where(column.missing(), 0, codes).astype(np.int64)


def _rates_in_other_half(bins: Ints, y: Floats) -> Floats:
    """The share of leavers in the same bin of the other half of the rows, as a forecast for new customers."""
    half: NDArray[np.int64] = np.empty(len(y), dtype=np.int64)
    for label in (0.0, 1.0):
        half[y == label] = np.arange(int((y == label).sum())) % 2
    rates, size = np.empty(len(y)), int(bins.max()) + 1
    for side in (0, 1):
        other = half != side
        n, left = np.bincount(bins[other], minlength=size), np.bincount(bins[other], y[other], minlength=size)
        rates[half == side] = ((left + y.mean()) / (n + 1.0))[bins[half == side]]
    return rates


def _pure_state(column: Column, y: Floats) -> State | None:
    """Whether the column is filled, or empty, only where `y` is 1; None where it is neither."""
    missing = column.missing()
    states: tuple[tuple[State, NDArray[np.bool_]], ...] = (("filled", ~missing), ("empty", missing))
    return next((state for state, rows in states if _is_pure(y[rows], y)), None)


def _only_leavers(state: State | None) -> str:
    return f", it is {state} only where the customer left" if state else ""


def _pure_levels(column: Categorical, y: Floats) -> Iterator[str]:
    for code, level in enumerate(column.levels):
        rows = column.codes == code
        if _is_pure(y[rows], y):
            yield f"all {int(rows.sum()):,} customers with {level!r} in {column.name} have left: {_ADVICE}"


def _is_pure(some: Floats, y: Floats) -> bool:
    """Whether all of these are 1, and they are too many for that to be chance."""
    return len(some) >= MIN_PURE_ROWS and bool(some.all()) and float(y.mean()) ** len(some) < MAX_PURE_CHANCE
