"""How good out-of-sample predictions are, with intervals, and whether they are anything at all."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import expit
from scipy.stats import rankdata

from streams.cli.fitting.columns import Floats, Rows
from streams.cli.fitting.validation import OutOfSample

Z95, Z99 = 1.959963984540054, 2.5758293035489004
CLEAR = 3.3
"""Standard errors, as they are without any signal, that the AUC must lie above 0.5; see docs/fitting.md."""

Verdict = Literal["signal", "no signal"]


class Decile(NamedTuple):
    """A tenth of the customers by predicted risk: mean prediction, share that left, how many."""

    predicted: float
    observed: float
    n: int


@dataclass(frozen=True)
class Figures:
    """All out of sample, means over the repeats; the AUC with its 95 % interval (DeLong)."""

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
    brier: float
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
        single.value, *single.interval(), _lift(y, found.model), brier, brier_base,
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


def _lift(y: Floats, log_odds: Floats) -> float:
    return float(np.mean([y[_tenths(scores)[-1]].mean() for scores in log_odds]) / y.mean())


def _calibration(y: Floats, log_odds: Floats) -> tuple[Decile, ...]:
    cuts = [_tenths(scores) for scores in log_odds]
    return tuple(
        Decile(
            float(np.mean([expit(scores[cut[tenth]]).mean() for scores, cut in zip(log_odds, cuts, strict=True)])),
            float(np.mean([y[cut[tenth]].mean() for cut in cuts])),
            len(cuts[0][tenth]),
        )
        for tenth in range(10)
    )
