"""The churn model of a table: main effects of the telling columns, and a few interactions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from threadpoolctl import threadpool_limits

from streams.fitting.basis import RICH_EVENTS, fine
from streams.fitting.columns import Floats, Frame
from streams.fitting.interactions import find_interactions, score_test
from streams.fitting.logit import Logit, fit_logit
from streams.fitting.terms import Block, Term

MOST_COLUMNS = 40
"""Columns that get main effects, the most telling first."""

CHANCE, NOISE_COLUMNS = 0.2, 3.0
"""A column gets in when noise would be as telling with less than the first chance, or a smaller one that lets in
three columns of noise on average."""

_PAIRED = 16
_SAMPLE = 20_000


@dataclass(frozen=True)
class Model:
    """Log-odds = intercept + Σ coefficient · term; blocks without any weight are not in it."""

    intercept: float
    blocks: tuple[Block, ...]
    coefficients: tuple[Floats, ...]

    def log_odds(self, frame: Frame) -> Floats:
        """One value for each row of the frame."""
        rows = len(next(iter(frame.values())).missing())
        total = np.full(rows, self.intercept)
        for part in self.parts(frame):
            total += part
        return total

    def parts(self, frame: Frame) -> list[Floats]:
        """What each block adds to the log-odds of each row."""
        return [block.matrix(frame) @ weights for block, weights in zip(self.blocks, self.coefficients, strict=True)]

    def terms(self) -> list[tuple[Term, float]]:
        """Every term with its coefficient."""
        pairs = zip(self.blocks, self.coefficients, strict=True)
        return [(term, float(w)) for block, ws in pairs for term, w in zip(block.terms, ws, strict=True)]


@dataclass(frozen=True)
class Fits:
    """The model, and the best rule of one column beside it, both from the same rows."""

    model: Model
    single: Model
    single_name: str


def fit_models(frame: Frame, y: Floats) -> Fits:
    """Choose columns, transformations, interactions and penalties, and fit them, all from these rows alone."""
    # products of this size gain little from several threads, and on shared cores these wait for each other
    with threadpool_limits(limits=1):
        return _fit_models(frame, y)


def _fit_models(frame: Frame, y: Floats) -> Fits:
    ranked = _ranked(frame, y)
    if not ranked:
        nothing = Model(float(np.log(y.mean() / (1.0 - y.mean()))), (), ())
        return Fits(nothing, nothing, next(iter(frame)))
    mains = _telling(ranked, len(frame))
    matrices = [block.matrix(frame) for block in mains]
    first = _fit(matrices, y)
    sample = _thinned(len(y))
    p = expit(first.intercept + np.hstack([matrix[sample] for matrix in matrices]) @ first.coefficients)
    names = [block.columns[0] for _, block in ranked[:_PAIRED]]
    pairs = find_interactions({name: frame[name].take(sample) for name in names}, names, y[sample], p)
    whole = _fit([*matrices, *(pair.matrix(frame) for pair in pairs)], y) if pairs else first
    single = _fit(matrices[:1], y)
    return Fits(_model([*mains, *pairs], whole), _model(mains[:1], single), mains[0].columns[0])


def _ranked(frame: Frame, y: Floats) -> list[tuple[float, Block]]:
    """For each column that has any term, the log of the chance that noise is as telling; the most telling first."""
    weight = np.full(len(y), y.mean() * (1.0 - y.mean()))
    rich = min(y.sum(), (1.0 - y).sum()) >= RICH_EVENTS
    found: list[tuple[float, Block]] = []
    for name, column in frame.items():
        factors = fine(column, rich)
        if factors:
            block = Block((name,), tuple((factor,) for factor in factors))
            matrix = block.matrix(frame)
            found.append((score_test(matrix - matrix.mean(axis=0), y - y.mean(), weight), block))
    return sorted(found, key=lambda pair: pair[0])


def _telling(ranked: list[tuple[float, Block]], columns: int) -> list[Block]:
    """The blocks of the columns that get main effects, at least one."""
    limit = np.log(min(CHANCE, NOISE_COLUMNS / columns))
    return [block for place, (chance, block) in enumerate(ranked[:MOST_COLUMNS]) if chance < limit or not place]


def _fit(matrices: Sequence[Floats], y: Floats) -> Logit:
    groups = np.repeat(np.arange(len(matrices)), [matrix.shape[1] for matrix in matrices])
    return fit_logit(np.hstack(list(matrices)), y, groups)


def _model(blocks: Sequence[Block], logit: Logit) -> Model:
    weights = np.split(logit.coefficients, np.cumsum([len(block.terms) for block in blocks])[:-1])
    kept = [(b, w) for b, w, penalty in zip(blocks, weights, logit.penalties, strict=True) if np.isfinite(penalty)]
    return Model(logit.intercept, tuple(b for b, _ in kept), tuple(w for _, w in kept))


def _thinned(rows: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.unique(np.linspace(0, rows - 1, min(rows, _SAMPLE)).astype(np.int64))
