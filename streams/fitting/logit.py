"""A logit whose penalties are learned: each group of columns is shrunk as strongly as the data ask for.

The penalty of a group is the inverse variance of its coefficients, set to its most probable value by
MacKay's fixed point (D. MacKay, Bayesian interpolation, Neural Computation 4, 1992); a group whose
penalty becomes too strong, or for which the data settle nothing, is taken out. It needs no second
cross-validation.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from streams.fitting.columns import Floats, Ints

ROUNDS = 12
"""Rounds of penalties; they settle in fewer."""

_SAMPLE = 20_000
_SHAPE, _RATE = 1.0, 0.02  # a Gamma prior of the penalties: it matters where rows are few
_WEAKEST, _GONE, _NOTHING = 0.05, 60.0, 0.02
_FREE = 1e-6
_FARTHEST = 12.0


@dataclass(frozen=True)
class Logit:
    """Log-odds = intercept + X · coefficients; `penalties` has one entry per group, infinite for one taken out."""

    intercept: float
    coefficients: Floats
    penalties: Floats


def fit_logit(x: Floats, y: Floats, groups: Ints) -> Logit:
    """Fit to rows × columns in 0…1 and labels 0 or 1; `groups[j]` is the group of column j, counted from 0."""
    sample = slice(None) if len(y) <= _SAMPLE else _spread(y)
    penalties = _penalties(x[sample], y[sample], groups)
    alive = np.isfinite(penalties[groups])
    coefficients = np.zeros(x.shape[1])
    if not alive.any():
        return Logit(_log_odds(y), coefficients, penalties)
    scale = 1.0 / np.sqrt(penalties[groups[alive]])
    solver = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-5, max_iter=100)
    solver.fit(x[:, alive] * scale, y)
    coefficients[alive] = solver.coef_[0] * scale
    return Logit(float(solver.intercept_[0]), coefficients, penalties)


def _penalties(x: Floats, y: Floats, groups: Ints) -> Floats:
    penalties = np.ones(int(groups.max()) + 1)
    alive = np.arange(x.shape[1])
    columns, weights = np.column_stack([x, np.ones(len(y))]), np.append(np.zeros(x.shape[1]), _log_odds(y))
    for _ in range(ROUNDS):
        weights, spread = _newton(columns, y, weights, np.append(penalties[groups[alive]], _FREE))
        penalties = _reweighted(penalties, groups[alive], weights[:-1], spread[:-1])
        kept = np.isfinite(penalties[groups[alive]])
        if not kept.any():
            break
        if not kept.all():
            alive, stays = alive[kept], np.append(kept, True)
            columns, weights = columns[:, stays], weights[stays]
    return penalties


def _newton(x: Floats, y: Floats, weights: Floats, ridge: Floats) -> tuple[Floats, Floats]:
    """One step, and the posterior variances of the weights."""
    p = expit(np.clip(x @ weights, -_FARTHEST, _FARTHEST))
    hessian = (x * (p * (1.0 - p))[:, None]).T @ x
    hessian[np.diag_indices_from(hessian)] += ridge
    inverse = linalg.inv(hessian, overwrite_a=True, assume_a="pos")
    return weights + inverse @ (x.T @ (y - p) - ridge * weights), np.diag(inverse)


def _reweighted(penalties: Floats, member: Ints, weights: Floats, spread: Floats) -> Floats:
    size = len(penalties)
    settled = np.bincount(member, 1.0 - penalties[member] * spread, minlength=size)
    power = np.bincount(member, weights**2, minlength=size)
    renewed = np.maximum((settled + 2.0 * _SHAPE) / (power + 2.0 * _RATE), _WEAKEST)
    return np.where(np.isfinite(penalties) & (settled > _NOTHING) & (renewed < _GONE), renewed, np.inf)


def _log_odds(y: Floats) -> float:
    return float(np.log(y.mean() / (1.0 - y.mean())))


def _spread(y: Floats) -> Ints:
    """Rows spread evenly over the stayers and over the leavers, each in proportion."""
    order = np.argsort(y, kind="stable")
    return order[np.linspace(0, len(y) - 1, _SAMPLE).astype(np.int64)]
