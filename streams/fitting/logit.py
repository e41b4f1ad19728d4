"""A logit with learned penalties: the data decide how strongly each group of columns is shrunk.

The penalty of a group is the inverse variance of its coefficients. MacKay's fixed point sets it to its most
probable value (D. MacKay, Bayesian interpolation, Neural Computation 4, 1992), so that no second
cross-validation is needed. A group is removed when its penalty becomes too strong, or when the data determine
none of its coefficients.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from streams.fitting.columns import Floats, Ints

ROUNDS = 12
"""Rounds of penalties; they settle in fewer."""

_MAX_SAMPLE_ROWS = 20_000
_PRIOR_SHAPE, _PRIOR_RATE = 1.0, 0.02
"""The Gamma prior of the penalties; it matters where rows are few."""

_MIN_PENALTY, _MAX_PENALTY = 0.05, 60.0
_MIN_DETERMINED = 0.02
"""A group of which the data determine fewer coefficients than this (MacKay's γ) is removed."""

_INTERCEPT_PENALTY = 1e-6
_MAX_LOG_ODDS = 12.0


@dataclass(frozen=True)
class Logit:
    """Log-odds = intercept + X · coefficients; `penalties` has one entry per group, infinite for a removed group."""

    intercept: float
    coefficients: Floats
    penalties: Floats


def fit_logit(x: Floats, y: Floats, groups: Ints) -> Logit:
    """Fit to rows × columns in 0…1 and labels 0 or 1; `groups[j]` is the group of column j, counted from 0."""
    sample = slice(None) if len(y) <= _MAX_SAMPLE_ROWS else _even_sample(y)
    penalties = _penalties(x[sample], y[sample], groups)
    kept = np.isfinite(penalties[groups])
    coefficients = np.zeros(x.shape[1])
    if not kept.any():
        return Logit(base_log_odds(y), coefficients, penalties)
    scale = 1.0 / np.sqrt(penalties[groups[kept]])
    solver = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-5, max_iter=100)
    solver.fit(x[:, kept] * scale, y)
    coefficients[kept] = solver.coef_[0] * scale
    return Logit(float(solver.intercept_[0]), coefficients, penalties)


def base_log_odds(y: Floats) -> float:
    """The log-odds of the share of leavers, which is the prediction of a model without any term."""
    return float(np.log(y.mean() / (1.0 - y.mean())))


def _penalties(x: Floats, y: Floats, groups: Ints) -> Floats:
    penalties = np.ones(int(groups.max()) + 1)
    kept = np.arange(x.shape[1])
    # the last column is the intercept
    columns, weights = np.column_stack([x, np.ones(len(y))]), np.append(np.zeros(x.shape[1]), base_log_odds(y))
    for _ in range(ROUNDS):
        ridge = np.append(penalties[groups[kept]], _INTERCEPT_PENALTY)
        weights, variances = _newton(columns, y, weights, ridge)
        penalties = _reweighted(penalties, groups[kept], weights[:-1], variances[:-1])
        remains = np.isfinite(penalties[groups[kept]])
        if not remains.any():
            break
        if not remains.all():
            kept, with_intercept = kept[remains], np.append(remains, True)
            columns, weights = columns[:, with_intercept], weights[with_intercept]
    return penalties


def _newton(x: Floats, y: Floats, weights: Floats, ridge: Floats) -> tuple[Floats, Floats]:
    """The weights after one Newton step, and their posterior variances."""
    p = expit(np.clip(x @ weights, -_MAX_LOG_ODDS, _MAX_LOG_ODDS))
    hessian = (x * (p * (1.0 - p))[:, None]).T @ x
    hessian[np.diag_indices_from(hessian)] += ridge
    inverse = linalg.inv(hessian, overwrite_a=True, assume_a="pos")
    return weights + inverse @ (x.T @ (y - p) - ridge * weights), np.diag(inverse)


def _reweighted(penalties: Floats, group_of: Ints, weights: Floats, variances: Floats) -> Floats:
    """MacKay's update of the penalty of each group; infinite for a group that is removed."""
    size = len(penalties)
    determined = np.bincount(group_of, 1.0 - penalties[group_of] * variances, minlength=size)
    power = np.bincount(group_of, weights**2, minlength=size)
    updated = np.maximum((determined + 2.0 * _PRIOR_SHAPE) / (power + 2.0 * _PRIOR_RATE), _MIN_PENALTY)
    is_kept = np.isfinite(penalties) & (determined > _MIN_DETERMINED) & (updated < _MAX_PENALTY)
    return np.where(is_kept, updated, np.inf)


def _even_sample(y: Floats) -> Ints:
    """Rows spread evenly over the stayers and over the leavers, each in proportion."""
    order = np.argsort(y, kind="stable")
    return order[np.linspace(0, len(y) - 1, _MAX_SAMPLE_ROWS).astype(np.int64)]
