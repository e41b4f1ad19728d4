"""Predictions for customers that the model has not seen: repeated, stratified cross-validation."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedKFold

from streams.fitting.columns import Category, Column, Floats, Frame, Ints, take
from streams.fitting.model import fit_models

FOLDS = 5
_FEW_KINDS = 100


@dataclass(frozen=True)
class OutOfSample:
    """Log-odds of each customer from fits without it, repeats × rows.

    `base` is what the share of leavers among the fitted rows alone says; `singles` counts how often
    each column was the best single one.
    """

    y: Floats
    model: Floats
    single: Floats
    base: Floats
    singles: Counter[str]


def repeats(rows: int) -> int:
    """How often the table is cut into folds anew: the fewer the rows, the more the cut matters."""
    return 3 if rows <= 5_000 else 2 if rows <= 20_000 else 1


def describe(rows: int) -> str:
    """How a table of so many rows is judged.

    >>> describe(3_333)
    '5-fold cross-validation × 3'
    """
    return f"{FOLDS}-fold cross-validation × {repeats(rows)}"


def cross_validate(frame: Frame, y: Floats, seed: int, progress: Callable[[int, int], None]) -> OutOfSample:
    """Fit everything anew without each fold, and predict it. `progress` is told how many fits of how many are done."""
    times, twins = repeats(len(y)), twin_rows(frame)
    model, single, base = (np.empty((times, len(y))) for _ in range(3))
    singles = Counter[str]()
    for repeat in range(times):
        for fold, unseen in enumerate(_folds(y, twins, seed + repeat)):
            seen = np.setdiff1d(np.arange(len(y)), unseen)
            fits, new = fit_models(take(frame, seen), y[seen]), take(frame, unseen)
            model[repeat, unseen] = fits.model.log_odds(new)
            single[repeat, unseen] = fits.single.log_odds(new)
            base[repeat, unseen] = np.log(y[seen].mean() / (1.0 - y[seen].mean()))
            singles[fits.single_name] += 1
            progress(repeat * FOLDS + fold + 1, times * FOLDS)
    return OutOfSample(y, model, single, base, singles)


def twin_rows(frame: Frame) -> Ints:
    """A number for each row, the same for rows that are copies of each other.

    Rows alike in every column are copies when there are many more such pairs than the frequencies of the
    values bring about by themselves; in a table of a few coarse columns every row is its own.
    """
    columns = [_coded(column) for column in frame.values()]
    _, twins, sizes = np.unique(np.column_stack(columns), axis=0, return_inverse=True, return_counts=True)
    by_chance = len(twins) ** 2 / 2 * np.prod([np.mean((np.bincount(codes) / len(codes))[codes]) for codes in columns])
    pairs = (sizes * (sizes - 1.0) / 2).sum()
    if pairs <= 10 * by_chance or len(sizes) < _FEW_KINDS:
        return np.arange(len(twins))
    return twins.reshape(-1).astype(np.int64)


def _coded(column: Column) -> Ints:
    values = column.codes if isinstance(column, Category) else column.values
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _folds(y: Floats, twins: Ints, seed: int) -> list[Ints]:
    """The rows of each fold; copies of one row stay together, so that none is predicted from its twin."""
    _, first = np.unique(twins, return_index=True)
    cutter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return [np.flatnonzero(np.isin(twins, group)) for _, group in cutter.split(first, y[first])]
