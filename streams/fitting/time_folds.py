"""Out-of-sample predictions of labels with times: the later labels are predicted from the earlier ones."""

import numpy as np

from streams.core.time.instants import DAY_MS
from streams.errors import ConfigError
from streams.fitting.columns import Floats, Frame, Ints
from streams.fitting.fitted import SEED
from streams.fitting.labels import MIN_PER_CLASS, MIN_ROWS
from streams.fitting.predictions import Fold, Predictions, Progress, cross_validate, describe, predict

_QUANTILES = (0.5, 0.75, 1.0)
"""The later half of the labels is predicted in two steps, each from the labels before it."""


def predict_later(
    frame: Frame, y: Floats, times_ms: Ints, horizon_days: int, progress: Progress
) -> tuple[Predictions, str, list[str]]:
    """The predictions, the method behind them, and notes; labels of one time only are cross-validated instead.

    Raises `ConfigError` when there are too few earlier labels, or only one class of later ones.
    """
    if len(np.unique(times_ms)) == 1:
        note = "all labels are of one time: evaluated by cross-validation, not on later labels"
        return cross_validate(frame, y, SEED, progress), describe(len(y)), [note]
    folds, notes = _usable_folds(y, times_ms, horizon_days)
    predictions = predict(frame, y, [folds], progress)
    if len(np.unique(predictions.y)) < 2:
        raise ConfigError("the later half of the labels is of one class; bring labels from a longer period")
    return predictions, "the later half of the labels, from earlier ones only", notes


def time_folds(times_ms: Ints, gap_ms: int) -> list[Fold]:
    """Folds whose training rows are at least `gap_ms` older than all their test rows.

    >>> [(train.tolist(), test.tolist()) for train, test in time_folds(np.arange(8), 1)]
    [([0, 1, 2, 3], [4, 5]), ([0, 1, 2, 3, 4, 5], [6, 7])]
    """
    starts = [np.quantile(times_ms, quantile, method="higher") for quantile in _QUANTILES[:-1]]
    ends = [*starts[1:], times_ms.max() + 1]
    return [
        Fold(
            np.flatnonzero((times_ms < start) & (times_ms <= start - gap_ms)),
            np.flatnonzero((times_ms >= start) & (times_ms < end)),
        )
        for start, end in zip(starts, ends, strict=True)
        if start < end
    ]


def _usable_folds(y: Floats, times_ms: Ints, horizon_days: int) -> tuple[list[Fold], list[str]]:
    folds = time_folds(times_ms, horizon_days * DAY_MS)
    if all(_is_enough(y[train]) for train, _ in folds):
        return folds, []
    folds = time_folds(times_ms, 0)
    if not all(_is_enough(y[train]) for train, _ in folds):
        raise ConfigError(
            f"the earlier half of the labels has fewer than {MIN_ROWS // 2} or fewer than {MIN_PER_CLASS // 2} of a "
            "class; bring labels from a longer period"
        )
    note = (
        f"fewer than {horizon_days} days lie between the labels learned from and those predicted: "
        "in real use the outcome of the former would not have been known yet"
    )
    return folds, [note]


def _is_enough(y: Floats) -> bool:
    left = int(y.sum())
    return len(y) >= MIN_ROWS // 2 and min(left, len(y) - left) >= MIN_PER_CLASS // 2
