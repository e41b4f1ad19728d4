"""The metrics of a fit against plain recomputation and published definitions."""

from collections import Counter

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss, roc_auc_score

from streams.fitting.auc import delong, null_standard_error
from streams.fitting.columns import Frame, Numeric, take
from streams.fitting.evaluation import evaluate
from streams.fitting.predictions import Predictions, cross_validate

RNG = np.random.default_rng(11)


def test_the_area_is_the_share_of_pairs_in_order_ties_half() -> None:
    y, scores = (RNG.random(80) < 0.3).astype(float), RNG.integers(0, 9, 80).astype(float)
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[y == 1] for b in scores[y == 0]]
    assert delong(y, scores)[0] == pytest.approx(np.mean(pairs))
    assert delong(y, scores)[0] == pytest.approx(roc_auc_score(y, scores))


def test_the_error_of_the_area_is_what_samples_scatter() -> None:
    found = []
    for _ in range(600):
        y = np.repeat([1.0, 0.0], [40, 120])
        found.append(delong(y, RNG.normal(y, 1.0)))
    areas, errors = np.array(found).T
    assert errors.mean() == pytest.approx(areas.std(), rel=0.1)


def test_the_error_without_signal_is_what_shuffled_labels_scatter() -> None:
    y, scores = np.repeat([1.0, 0.0], [30, 90]), RNG.normal(size=120)
    areas = [delong(RNG.permutation(y), scores)[0] for _ in range(1_500)]
    assert np.std(areas) == pytest.approx(null_standard_error(30, 90), rel=0.08)


def predictions(repeats: int, rows: int) -> Predictions:
    log_odds = RNG.normal(-1.0, 1.5, (repeats, rows))
    y = (RNG.random(rows) < expit(log_odds.mean(axis=0))).astype(float)
    base = np.full((repeats, rows), np.log(y.mean() / (1 - y.mean())))
    return Predictions(y, log_odds, log_odds / 2, base, Counter({"x": 3, "y": 1}))


def test_metrics_are_means_over_the_repeats() -> None:
    given = predictions(3, 500)
    found = evaluate(given)
    assert found.auc == pytest.approx(np.mean([roc_auc_score(given.y, scores) for scores in given.model]))
    assert found.brier == pytest.approx(np.mean([brier_score_loss(given.y, expit(s)) for s in given.model]))
    assert found.brier_base == pytest.approx(given.y.mean() * (1 - given.y.mean()))
    highest = [np.mean(given.y[np.argsort(scores)[-50:]]) / given.y.mean() for scores in given.model]
    assert found.top_decile_lift == pytest.approx(np.mean(highest))
    assert found.best_single == "x"


def test_no_customer_is_predicted_from_its_own_copy() -> None:
    """Pure noise, each customer four times: seen once, its copies would be known."""
    y = (RNG.random(150) < 0.4).astype(float)
    frame: Frame = {f"x{place}": Numeric(f"x{place}", RNG.normal(size=150)) for place in range(5)}
    copies = np.tile(np.arange(150), 4)
    honest = evaluate(cross_validate(take(frame, copies), y[copies], 1, lambda done, total: None))
    assert abs(honest.auc - 0.5) < 0.15
    assert honest.verdict == "no signal"
