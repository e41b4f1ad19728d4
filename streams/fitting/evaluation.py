"""How good out-of-sample predictions are, with intervals, and whether they show a signal at all."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import expit

from streams.core.statistics.intervals import wilson
from streams.fitting.auc import delong, null_standard_error
from streams.fitting.columns import Floats, Rows
from streams.fitting.predictions import Predictions

Z95, Z99 = 1.959963984540054, 2.5758293035489004
MIN_Z = 3.3
"""The AUC must lie this many standard errors above 0.5, those of unrelated scores; see docs/fitting.md."""

METRICS = (
    "auc", "auc_low", "auc_high", "best_single_auc", "best_single_low", "best_single_high",
    "top_decile_lift", "top_decile_lift_low", "top_decile_lift_high",
    "brier", "brier_low", "brier_high", "brier_base",
)  # fmt: skip
"""The fields of an evaluation that are reported as single numbers, in the order of the report."""

Verdict = Literal["signal", "no signal"]


class Decile(NamedTuple):
    """A tenth of the customers by predicted risk: mean prediction, share that left with Wilson's interval, size."""

    predicted: float
    observed: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Evaluation:
    """Out-of-sample metrics, means over the repeats, with 95 % intervals.

    The intervals of the AUCs are DeLong's. The interval of the lift is Wilson's for the share that left among
    the tenth at the highest risk, and that of the Brier score comes from its standard error.
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


def evaluate(predictions: Predictions) -> Evaluation:
    """All metrics of the predictions of one cross-validation."""
    y, log_odds = predictions.y, predictions.model
    model, single = _Auc.of(y, log_odds - predictions.base), _Auc.of(y, predictions.single - predictions.base)
    brier, brier_base = _brier(y, log_odds), _brier(y, predictions.base)
    positives = int(y.sum())
    z = (model.value - 0.5) / null_standard_error(positives, len(y) - positives)
    is_signal = model.value - Z99 * model.error > 0.5 and z >= MIN_Z and brier < brier_base
    return Evaluation(
        len(y), positives, model.value, *model.interval(), predictions.best_columns.most_common(1)[0][0],
        single.value, *single.interval(), *_lift(y, log_odds), brier, *_brier_interval(y, log_odds), brier_base,
        _calibration(y, log_odds), z, "signal" if is_signal else "no signal",
    )  # fmt: skip


class _Auc(NamedTuple):
    value: float
    error: float

    @classmethod
    def of(cls, y: Floats, repeated: Floats) -> "_Auc":
        """The mean over the repeats; they rank the same customers, so their mean has the error of one of them."""
        value, error = np.mean([delong(y, scores) for scores in repeated], axis=0)
        return cls(float(value), float(error))

    def interval(self) -> tuple[float, float]:
        return max(0.0, self.value - Z95 * self.error), min(1.0, self.value + Z95 * self.error)


def _brier(y: Floats, log_odds: Floats) -> float:
    return float(np.mean((expit(log_odds) - y) ** 2))


def _brier_interval(y: Floats, log_odds: Floats) -> tuple[float, float]:
    errors = np.mean((expit(log_odds) - y) ** 2, axis=0)
    half = Z95 * float(errors.std(ddof=1)) / len(y) ** 0.5
    return max(0.0, float(errors.mean()) - half), float(errors.mean()) + half


def _tenths(scores: Floats) -> list[Rows]:
    """The rows of each tenth, the lowest scores first."""
    return [part.astype(np.int64) for part in np.array_split(np.argsort(scores, kind="stable"), 10)]


def _lift(y: Floats, log_odds: Floats) -> tuple[float, float, float]:
    tops = [_tenths(scores)[-1] for scores in log_odds]
    share = float(np.mean([y[top].mean() for top in tops]))
    low, high = _wilson(share, len(tops[0]))
    base_rate = float(y.mean())
    return share / base_rate, low / base_rate, high / base_rate


def _wilson(share: float, n: int) -> tuple[float, float]:
    low, high = wilson(round(share * n), n)
    return min(low, share), max(high, share)


def _calibration(y: Floats, log_odds: Floats) -> tuple[Decile, ...]:
    repeats = [_tenths(scores) for scores in log_odds]
    return tuple(_decile(y, log_odds, [tenths[place] for tenths in repeats]) for place in range(10))


def _decile(y: Floats, log_odds: Floats, rows_by_repeat: list[Rows]) -> Decile:
    predicted = np.mean([expit(scores[rows]).mean() for scores, rows in zip(log_odds, rows_by_repeat, strict=True)])
    observed = float(np.mean([y[rows].mean() for rows in rows_by_repeat]))
    n = len(rows_by_repeat[0])
    return Decile(float(predicted), observed, *_wilson(observed, n), n)
