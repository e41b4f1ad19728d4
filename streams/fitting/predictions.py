"""Predictions for customers the model has not seen: from earlier labels, or by repeated cross-validation."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from sklearn.model_selection import StratifiedKFold

from streams.fitting.columns import Categorical, Column, Floats, Frame, Ints, take
from streams.fitting.logit import base_log_odds
from streams.fitting.selection import fit_models

FOLDS = 5

_MIN_DISTINCT_ROWS = 100
"""A table with fewer different rows is too coarse to recognise copies in it."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called after each fit with the number of fits done and the number of all fits."""


class Fold(NamedTuple):
    """The rows a model is fitted to, and the rows it then predicts."""

    train: Ints
    test: Ints


@dataclass(frozen=True)
class Predictions:
    """Log-odds of each predicted customer from fits without it, repeats × rows.

    `model` is the whole model, `single` the best rule of one column, and `base` the share of leavers among the
    rows fitted to. `best_columns` counts how often each column gave the best single rule.
    """

    y: Floats
    model: Floats
    single: Floats
    base: Floats
    best_columns: Counter[str]


def predict(frame: Frame, y: Floats, repeats: Sequence[Sequence[Fold]], progress: Progress) -> Predictions:
    """Fit everything anew to the training rows of each fold, and predict its test rows.

    Rows that are in no fold's test rows are left out. One more fit, to all rows, is taken to follow.
    """
    model, single, base = (np.full((len(repeats), len(y)), np.nan) for _ in range(3))
    best_columns = Counter[str]()
    total = sum(map(len, repeats)) + 1
    for done, (repeat, (train, test)) in enumerate(_numbered(repeats), 1):
        fits, unseen = fit_models(take(frame, train), y[train]), take(frame, test)
        model[repeat, test] = fits.model.log_odds(unseen)
        single[repeat, test] = fits.single.log_odds(unseen)
        base[repeat, test] = base_log_odds(y[train])
        best_columns[fits.single_column] += 1
        progress(done, total)
    is_predicted = ~np.isnan(model).any(axis=0)
    model, single, base = (log_odds[:, is_predicted] for log_odds in (model, single, base))
    return Predictions(y[is_predicted], model, single, base, best_columns)


def _numbered(repeats: Sequence[Sequence[Fold]]) -> Iterator[tuple[int, Fold]]:
    return ((repeat, fold) for repeat, folds in enumerate(repeats) for fold in folds)


def repeats_for(rows: int) -> int:
    """How often a table of this size is cut into folds: with few rows, chance in the cut matters more."""
    return 3 if rows <= 5_000 else 2 if rows <= 20_000 else 1


def describe(rows: int) -> str:
    """The cross-validation of a table of this size.

    >>> describe(3_333)
    '5-fold cross-validation × 3'
    """
    return f"{FOLDS}-fold cross-validation × {repeats_for(rows)}"


def cross_validate(frame: Frame, y: Floats, seed: int, progress: Progress) -> Predictions:
    """Predict every row from the other folds, in stratified folds that are cut anew in each repeat."""
    groups = copy_groups(frame)
    return predict(frame, y, [_folds(y, groups, seed + repeat) for repeat in range(repeats_for(len(y)))], progress)


def copy_groups(frame: Frame) -> Ints:
    """A number for each row, the same for rows that are copies of each other.

    Rows alike in every column are copies when there are many more such pairs than the frequencies of the
    values alone produce; in a table of a few coarse columns every row has its own number.
    """
    columns = [_coded(column) for column in frame.values()]
    _, groups, sizes = np.unique(np.column_stack(columns), axis=0, return_inverse=True, return_counts=True)
    chance_of_equals = np.prod([np.mean((np.bincount(codes) / len(codes))[codes]) for codes in columns])
    expected_pairs = len(groups) ** 2 / 2 * chance_of_equals
    pairs = (sizes * (sizes - 1.0) / 2).sum()
    if pairs <= 10 * expected_pairs or len(sizes) < _MIN_DISTINCT_ROWS:
        return np.arange(len(groups))
    return groups.reshape(-1).astype(np.int64)


def _coded(column: Column) -> Ints:
    values = column.codes if isinstance(column, Categorical) else column.values
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _folds(y: Floats, groups: Ints, seed: int) -> list[Fold]:
    """Copies of one row stay in one fold, so that none is predicted from another."""
    _, first = np.unique(groups, return_index=True)
    cutter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    tests = [np.flatnonzero(np.isin(groups, group)) for _, group in cutter.split(first, y[first])]
    return [Fold(np.setdiff1d(np.arange(len(y)), test), test) for test in tests]
