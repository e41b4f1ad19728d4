"""Choose the columns and interactions of a table model, and fit it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import expit
from threadpoolctl import ThreadpoolController

from streams.fitting.column_factors import MIN_EVENTS_FOR_ALL_KNOTS, main_factors
from streams.fitting.columns import Floats, Frame, Ints, take
from streams.fitting.factors import TermGroup, main_effects
from streams.fitting.interactions import find_interactions, score_test
from streams.fitting.logit import Logit, base_log_odds, fit_logit
from streams.fitting.table_model import TableModel

MAX_COLUMNS = 40
"""Columns that get main effects, the most telling first."""

MAX_CHANCE, NOISE_COLUMNS = 0.2, 3.0
"""A column gets in when noise would be as telling with a chance below the first number. In a table of many columns
the chance must be so small that three columns of noise get in on average."""

_PAIRED_COLUMNS = 16
_MAX_SAMPLE_ROWS = 20_000


@dataclass(frozen=True)
class FittedModels:
    """The whole model and the best rule of one column, `single_column`, both fitted to the same rows."""

    model: TableModel
    single: TableModel
    single_column: str


def fit_models(frame: Frame, y: Floats) -> FittedModels:
    """Choose columns, factors, interactions and penalties, and fit them, all from these rows alone."""
    # products of this size gain little from several threads, and on shared cores these wait for each other
    with _thread_pools().limit(limits=1):
        return _fit_models(frame, y)


@cache
def _thread_pools() -> ThreadpoolController:
    """The thread pools of the loaded libraries, which take longer to find than to limit."""
    return ThreadpoolController()


def _fit_models(frame: Frame, y: Floats) -> FittedModels:
    ranked = _ranked(frame, y)
    if not ranked:
        constant = TableModel(base_log_odds(y), (), ())
        return FittedModels(constant, constant, next(iter(frame)))
    mains = _telling(ranked, len(frame))
    matrices = [group.matrix(frame) for group in mains]
    logit = _fit(matrices, y)
    pairs = _interactions(frame, y, [group.columns[0] for _, group in ranked[:_PAIRED_COLUMNS]], matrices, logit)
    whole = _fit([*matrices, *(pair.matrix(frame) for pair in pairs)], y) if pairs else logit
    single = _fit(matrices[:1], y)
    return FittedModels(_model([*mains, *pairs], whole), _model(mains[:1], single), mains[0].columns[0])


def _ranked(frame: Frame, y: Floats) -> list[tuple[float, TermGroup]]:
    """Of each column with any factor, the log of the chance that noise is as telling; the most telling first."""
    weight = np.full(len(y), y.mean() * (1.0 - y.mean()))
    all_knots = min(y.sum(), (1.0 - y).sum()) >= MIN_EVENTS_FOR_ALL_KNOTS
    ranked: list[tuple[float, TermGroup]] = []
    for name, column in frame.items():
        if factors := main_factors(column, all_knots):
            group = main_effects(name, factors)
            matrix = group.matrix(frame)
            ranked.append((score_test(matrix - matrix.mean(axis=0), y - y.mean(), weight), group))
    return sorted(ranked, key=lambda pair: pair[0])


def _telling(ranked: list[tuple[float, TermGroup]], columns: int) -> list[TermGroup]:
    """The groups of the columns that get main effects, at least one."""
    limit = np.log(min(MAX_CHANCE, NOISE_COLUMNS / columns))
    return [group for place, (chance, group) in enumerate(ranked[:MAX_COLUMNS]) if chance < limit or not place]


def _interactions(
    frame: Frame, y: Floats, names: list[str], matrices: Sequence[Floats], mains: Logit
) -> list[TermGroup]:
    """The interactions of these columns, given the main effects; in a long table from an even sample of its rows."""
    sample = _sample(len(y))
    x = np.hstack([matrix[sample] for matrix in matrices])
    p = expit(mains.intercept + x @ mains.coefficients)
    return find_interactions(take({name: frame[name] for name in names}, sample), names, y[sample], p)


def _fit(matrices: Sequence[Floats], y: Floats) -> Logit:
    groups = np.repeat(np.arange(len(matrices)), [matrix.shape[1] for matrix in matrices])
    return fit_logit(np.hstack(list(matrices)), y, groups)


def _model(groups: Sequence[TermGroup], logit: Logit) -> TableModel:
    coefficients = np.split(logit.coefficients, np.cumsum([len(group.products) for group in groups])[:-1])
    kept = [
        (group, of_group)
        for group, of_group, penalty in zip(groups, coefficients, logit.penalties, strict=True)
        if np.isfinite(penalty)
    ]
    return TableModel(logit.intercept, tuple(group for group, _ in kept), tuple(of_group for _, of_group in kept))


def _sample(rows: int) -> Ints:
    return np.unique(np.linspace(0, rows - 1, min(rows, _MAX_SAMPLE_ROWS)).astype(np.int64))
