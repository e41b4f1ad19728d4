"""Which pairs of columns do together what neither does alone."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import linalg, stats

from streams.fitting.basis import coarse, floor
from streams.fitting.columns import Floats, Frame
from streams.fitting.terms import Block

MOST = 8
"""Interactions that a model takes at most."""

LEVEL = 0.01
"""Chance that columns without any interaction bring one in (Bonferroni over all pairs)."""

_FEWEST_EVENTS = 1.0
_DEPENDENT = 1e-3


class _Side(NamedTuple):
    name: str
    block: Block
    matrix: Floats


def find_interactions(frame: Frame, names: list[str], y: Floats, p: Floats) -> list[Block]:
    """The pairs that explain what the fitted probabilities `p` leave over, most certain first.

    A score test for each pair, of the products of coarse steps and levels, after the main effects of both.
    """
    sides = [side for name in names if (side := _side(frame, name)) is not None]
    pairs = list(combinations(sides, 2))
    tested = [(chance, block) for a, b in pairs for chance, block in _tested(a, b, y, p)]
    limit = np.log(LEVEL / max(1, len(pairs)))
    return [block for chance, block in sorted(tested, key=lambda pair: pair[0]) if chance < limit][:MOST]


def score_test(x: Floats, residual: Floats, weight: Floats) -> float:
    """Log of the chance that columns this telling are noise: all together, or the best of them (Bonferroni)."""
    score, information = x.T @ residual, (x * weight[:, None]).T @ x
    values, vectors = linalg.eigh(information)
    free = values > _DEPENDENT * values[-1]
    whole = stats.chi2.logsf(((vectors.T @ score)[free] ** 2 / values[free]).sum(), free.sum())
    spread = np.diag(information)
    usable = spread > _DEPENDENT * spread.max()
    z = np.abs(score[usable]) / np.sqrt(spread[usable])
    best = np.log(2.0 * len(z)) + stats.norm.logsf(z.max())
    return float(min(whole, best) + np.log(2.0))


def _side(frame: Frame, name: str) -> _Side | None:
    factors = coarse(frame[name])
    block = Block((name,), tuple((factor,) for factor in factors))
    return _Side(name, block, block.matrix(frame)) if factors else None


def _tested(a: _Side, b: _Side, y: Floats, p: Floats) -> list[tuple[float, Block]]:
    products = (a.matrix[:, :, None] * b.matrix[:, None, :]).reshape(len(y), -1)
    weight, rows = p * (1.0 - p), products.sum(axis=0)
    kept = (rows >= floor(len(y))) & (weight @ products >= _FEWEST_EVENTS)
    if not kept.any():
        return []
    terms = [(*s, *t) for s in a.block.terms for t in b.block.terms]
    block = Block((a.name, b.name), tuple(term for term, keep in zip(terms, kept, strict=True) if keep))
    mains = np.column_stack([np.ones(len(y)), a.matrix, b.matrix])
    alone = _without(products[:, kept], mains, weight)
    if not (weight @ alone**2 > _DEPENDENT).any():
        return []
    return [(score_test(alone, y - p, weight), block)]


def _without(x: Floats, mains: Floats, weight: Floats) -> Floats:
    """What is left of the columns when the main effects have explained all they can."""
    weighted = (mains * weight[:, None]).T
    return x - mains @ np.linalg.lstsq(weighted @ mains, weighted @ x, rcond=1e-8)[0]
