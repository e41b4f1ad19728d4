"""The area under the ROC curve (AUC) with its standard error."""

import numpy as np
from scipy.stats import rankdata

from streams.fitting.columns import Floats


def delong(y: Floats, scores: Floats) -> tuple[float, float]:
    """Area under the ROC curve and its standard error (DeLong, DeLong and Clarke-Pearson 1988).

    >>> delong(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8]))[0]
    0.75
    """
    leavers, stayers = scores[y == 1], scores[y == 0]
    ranks = rankdata(np.concatenate([leavers, stayers]))
    m, n = len(leavers), len(stayers)
    leaver_places = (ranks[:m] - rankdata(leavers)) / n
    stayer_places = 1.0 - (ranks[m:] - rankdata(stayers)) / m
    variance = leaver_places.var(ddof=1) / m + stayer_places.var(ddof=1) / n
    return float(leaver_places.mean()), float(np.sqrt(variance))


def null_standard_error(leavers: int, stayers: int) -> float:
    """Standard error of the area for scores that are unrelated to the labels (Mann and Whitney 1947)."""
    return float(np.sqrt((leavers + stayers + 1) / (12.0 * leavers * stayers)))
