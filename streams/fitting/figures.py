"""How good out-of-sample predictions are, with intervals, and whether they are anything at all."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import expit
from scipy.stats import rankdata

from streams.core.statistics.intervals import wilson
from streams.fitting.columns import Floats, Rows
from streams.fitting.validation import OutOfSample

Z95, Z99 = 1.959963984540054, 2.5758293035489004
CLEAR = 3.3
"""Standard errors, as they are without any signal, that the AUC must lie above 0.5; see docs/fitting.md."""

NAMES = (
    "auc", "auc_low", "auc_high", "best_single_auc", "best_single_low", "best_single_high",
    "top_decile_lift", "top_decile_lift_low", "top_decile_lift_high",
    "brier", "brier_low", "brier_high", "brier_base",
)  # fmt: skip
"""The figures that are single numbers, in the order in which they are told."""

Verdict = Literal["signal", "no signal"]


class Decile(NamedTuple):
    """A tenth of the customers by predicted risk: mean prediction, share that left with Wilson's interval, how many."""

    predicted: float
    observed: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Figures:
    """All out of sample, means over the repeats, with 95 % intervals.

    Those of the AUCs are DeLong's, that of the lift comes from Wilson's of the share that left among the tenth
    at the highest risk, that of the Brier score from its standard error.
    """

    rows: int
    positives: int
    auc: float
    auc_low: float
    auc_high: float
    best_single: str
    best_single_auc: float
    best_single_low: float
    best_single_high: float
    top_decile_lift: float
    top_decile_lift_low: float
    top_decile_lift_high: float
    brier: float
    brier_low: float
    brier_high: float
    brier_base: float
    calibration: tuple[Decile, ...]
    z: float
    verdict: Verdict


def figures(found: OutOfSample) -> Figures:
    """All figures of a cross-validation."""
    y, model = found.y, _Auc.of(found.y, found.model - found.base)
    single = _Auc.of(y, found.single - found.base)
    brier, brier_base = _brier(y, found.model), _brier(y, found.base)
    left = int(y.sum())
    z = (model.value - 0.5) / null_error(left, len(y) - left)
    clear = model.value - Z99 * model.error > 0.5 and z >= CLEAR and brier < brier_base
    return Figures(
        len(y), left, model.value, *model.interval(), found.singles.most_common(1)[0][0],
        single.value, *single.interval(), *_lift(y, found.model), brier, *_brier_interval(y, found.model), brier_base,
        _calibration(y, found.model), z, "signal" if clear else "no signal",
    )  # fmt: skip


def delong(y: Floats, scores: Floats) -> tuple[float, float]:
    """Area under the ROC curve and its standard error (DeLong, DeLong and Clarke-Pearson 1988).

    >>> delong(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8]))[0]
    0.75
    """
    left, stayed = scores[y == 1], scores[y == 0]
    ranks = rankdata(np.concatenate([left, stayed]))
    m, n = len(left), len(stayed)
    of_left = (ranks[:m] - rankdata(left)) / n
    of_stayed = 1.0 - (ranks[m:] - rankdata(stayed)) / m
    return float(of_left.mean()), float(np.sqrt(of_left.var(ddof=1) / m + of_stayed.var(ddof=1) / n))


def null_error(left: int, stayed: int) -> float:
    """Standard error of the area for scores that know nothing (Mann and Whitney 1947)."""
    return float(np.sqrt((left + stayed + 1) / (12.0 * left * stayed)))


class _Auc(NamedTuple):
    value: float
    error: float

    @classmethod
    def of(cls, y: Floats, repeated: Floats) -> "_Auc":
        """The mean of the repeats; they are of the same customers, so the error is that of one of them."""
        value, error = np.mean([delong(y, scores) for scores in repeated], axis=0)
        return cls(float(value), float(error))

    def interval(self) -> tuple[float, float]:
        return max(0.0, self.value - Z95 * self.error), min(1.0, self.value + Z95 * self.error)


def _brier(y: Floats, log_odds: Floats) -> float:
    return float(np.mean((expit(log_odds) - y) ** 2))


def _tenths(scores: Floats) -> list[Rows]:
    return [part.astype(np.int64) for part in np.array_split(np.argsort(scores, kind="stable"), 10)]


def _brier_interval(y: Floats, log_odds: Floats) -> tuple[float, float]:
    errors = np.mean((expit(log_odds) - y) ** 2, axis=0)
    half = Z95 * float(errors.std(ddof=1)) / len(y) ** 0.5
    return max(0.0, float(errors.mean()) - half), float(errors.mean()) + half


def _lift(y: Floats, log_odds: Floats) -> tuple[float, float, float]:
    tops = [_tenths(scores)[-1] for scores in log_odds]
    share = float(np.mean([y[top].mean() for top in tops]))
    low, high = _wilson(share, len(tops[0]))
    base = float(y.mean())
    return share / base, low / base, high / base


def _wilson(share: float, n: int) -> tuple[float, float]:
    low, high = wilson(round(share * n), n)
    return min(low, share), max(high, share)


def _calibration(y: Floats, log_odds: Floats) -> tuple[Decile, ...]:
    cuts = [_tenths(scores) for scores in log_odds]
    return tuple(_decile(y, log_odds, [cut[tenth] for cut in cuts]) for tenth in range(10))


def _decile(y: Floats, log_odds: Floats, tenths: list[Rows]) -> Decile:
    predicted = np.mean([expit(scores[tenth]).mean() for scores, tenth in zip(log_odds, tenths, strict=True)])
    observed = float(np.mean([y[tenth].mean() for tenth in tenths]))
    return Decile(float(predicted), observed, *_wilson(observed, len(tenths[0])), len(tenths[0]))
