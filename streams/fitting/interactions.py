"""Interactions: pairs of columns that together tell more than both do on their own."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import linalg, special

from streams.fitting.column_factors import interaction_factors, min_support
from streams.fitting.columns import Floats, Frame
from streams.fitting.factors import TermGroup, main_effects

MAX_INTERACTIONS = 8
"""A model has at most this many interactions."""

SIGNIFICANCE = 0.01
"""The chance that columns without any interaction bring one in (Bonferroni over all pairs)."""

_MIN_EXPECTED_EVENTS = 1.0
"""A product must have this much variance to learn from, counted in customers."""

_MIN_RELATIVE_VARIANCE = 1e-3
"""A direction with less variance, relative to the largest, depends on the others."""


class _Candidate(NamedTuple):
    """A column that may interact with others, with its factors and their values."""

    name: str
    group: TermGroup
    matrix: Floats


def find_interactions(frame: Frame, names: list[str], y: Floats, p: Floats) -> list[TermGroup]:
    """The pairs that explain what the fitted probabilities `p` leave unexplained, the most certain first.

    Each pair gets a score test of the products of its coarse steps and levels, after the main effects of both.
    """
    candidates = [candidate for name in names if (candidate := _candidate(frame, name)) is not None]
    pairs = list(combinations(candidates, 2))
    tested = [result for a, b in pairs if (result := _tested(a, b, y, p)) is not None]
    limit = np.log(SIGNIFICANCE / max(1, len(pairs)))
    ordered = sorted(tested, key=lambda result: result[0])
    return [group for chance, group in ordered if chance < limit][:MAX_INTERACTIONS]


def score_test(x: Floats, residual: Floats, weight: Floats) -> float:
    """Log of the chance that noise is as telling as these columns: all together, or the best of them (Bonferroni)."""
    score, information = x.T @ residual, (x * weight[:, None]).T @ x
    values, vectors = linalg.eigh(information)
    free = values > _MIN_RELATIVE_VARIANCE * values[-1]
    # the functions behind scipy.stats' logsf, whose checks of arguments would take a quarter of a fit
    with np.errstate(divide="ignore"):
        together = np.log(special.chdtrc(free.sum(), ((vectors.T @ score)[free] ** 2 / values[free]).sum()))
    variances = np.diag(information)
    usable = variances > _MIN_RELATIVE_VARIANCE * variances.max()
    z = np.abs(score[usable]) / np.sqrt(variances[usable])
    best = np.log(2.0 * len(z)) + special.log_ndtr(-z.max())
    return float(min(together, best) + np.log(2.0))


def _candidate(frame: Frame, name: str) -> _Candidate | None:
    factors = interaction_factors(frame[name])
    if not factors:
        return None
    group = main_effects(name, factors)
    return _Candidate(name, group, group.matrix(frame))


def _tested(a: _Candidate, b: _Candidate, y: Floats, p: Floats) -> tuple[float, TermGroup] | None:
    """The log of the chance that noise is as telling as the pair, and its products; None where it has none to test."""
    products = (a.matrix[:, :, None] * b.matrix[:, None, :]).reshape(len(y), -1)
    weight, rows = p * (1.0 - p), products.sum(axis=0)
    kept = (rows >= min_support(len(y))) & (weight @ products >= _MIN_EXPECTED_EVENTS)
    if not kept.any():
        return None
    mains = np.column_stack([np.ones(len(y)), a.matrix, b.matrix])
    residual = _residual(products[:, kept], mains, weight)
    if not (weight @ residual**2 > _MIN_RELATIVE_VARIANCE).any():
        return None
    pairs = [(*s, *t) for s in a.group.products for t in b.group.products]
    group = TermGroup((a.name, b.name), tuple(pair for pair, keep in zip(pairs, kept, strict=True) if keep))
    return score_test(residual, y - p, weight), group


def _residual(x: Floats, mains: Floats, weight: Floats) -> Floats:
    """The columns of `x` without all that the main effects explain of them."""
    weighted = (mains * weight[:, None]).T
    return x - mains @ np.linalg.lstsq(weighted @ mains, weighted @ x, rcond=1e-8)[0]
