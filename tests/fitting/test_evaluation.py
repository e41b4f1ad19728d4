"""The metrics and the model of a fit against plain recomputation and published definitions."""

from collections import Counter

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss, roc_auc_score

from streams.fitting.auc import delong, null_standard_error
from streams.fitting.columns import Categorical, Frame, Numeric, take
from streams.fitting.evaluation import evaluate
from streams.fitting.leaver_rates import leaver_rates
from streams.fitting.logit import fit_logit
from streams.fitting.predictions import Predictions, cross_validate
from streams.fitting.selection import fit_models

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


def test_a_logit_finds_the_coefficients_that_made_the_labels() -> None:
    x = RNG.random((20_000, 6)).round()
    y = (RNG.random(20_000) < expit(-1.0 + 2.0 * x[:, 0] - 1.0 * x[:, 1])).astype(float)
    found = fit_logit(x, y, np.arange(6))
    np.testing.assert_allclose(found.coefficients, [2.0, -1.0, 0, 0, 0, 0], atol=0.12)
    assert found.intercept == pytest.approx(-1.0, abs=0.1)
    assert np.isinf(found.penalties[2:]).sum() >= 2


def test_columns_that_tell_nothing_leave_the_base_rate() -> None:
    y = np.repeat([1.0, 0.0], [50, 150])
    found = fit_logit(np.tile([[0.0], [1.0]], (100, 1)), y, np.array([0]))
    assert found.coefficients.tolist() == [0.0]
    assert expit(found.intercept) == pytest.approx(0.25)


def jump(rows: int) -> tuple[Frame, np.ndarray]:
    """Up to three calls alike, from the fourth on several times the odds; and a bend the other way round."""
    calls, age = RNG.poisson(1.8, rows).astype(float), RNG.uniform(0, 60, rows)
    plan = RNG.integers(0, 2, rows)
    log_odds = -2.5 + 2.2 * (calls >= 4) - 1.5 * np.abs(age - 30) / 30 * plan
    y = (RNG.random(rows) < expit(log_odds)).astype(float)
    return {
        "calls": Numeric("calls", calls),
        "age": Numeric("age", age),
        "plan": Categorical("plan", plan.astype(np.int64), ("a", "b")),
    }, y


def test_a_step_is_fitted_as_a_step() -> None:
    frame, y = jump(6_000)
    model = fit_models(frame, y).model
    at = {"age": np.full(8, 30.0), "calls": np.arange(8.0), "plan": np.zeros(8)}
    probe: Frame = {
        "calls": Numeric("calls", at["calls"]),
        "age": Numeric("age", at["age"]),
        "plan": Categorical("plan", at["plan"].astype(np.int64), ("a", "b")),
    }
    odds = model.log_odds(probe)
    assert np.ptp(odds[:4]) < 0.6
    assert odds[4] - odds[3] == pytest.approx(2.2, abs=0.7)
    assert fit_models(frame, y).single_column == "calls"


def test_a_step_is_described_at_its_place() -> None:
    frame, y = jump(6_000)
    found = leaver_rates(frame["calls"], y)
    assert found.step is not None
    assert found.step.at == 4
    assert found.step.odds_ratio > 4
    assert sum(part.n for part in found.bins) == 6_000
    assert sum(part.left for part in found.bins) == y.sum()
    assert [part.label for part in found.bins[:5]] == ["0", "1", "2", "3", "4"]


def test_what_two_columns_do_together_is_found() -> None:
    rows = 3_000
    a, b = RNG.integers(0, 2, rows), RNG.normal(size=rows)
    y = (RNG.random(rows) < expit(-1.5 + 2.5 * np.where(a == 1, b > 0, b < 0))).astype(float)
    frame: Frame = {"a": Categorical("a", a.astype(np.int64), ("u", "v")), "b": Numeric("b", b)}
    found = evaluate(cross_validate(frame, y, 1, lambda done, total: None))
    assert found.auc > 0.7
    assert found.best_single_auc < 0.55


def test_no_customer_is_predicted_from_its_own_copy() -> None:
    """Pure noise, each customer four times: seen once, its copies would be known."""
    y = (RNG.random(150) < 0.4).astype(float)
    frame: Frame = {f"x{place}": Numeric(f"x{place}", RNG.normal(size=150)) for place in range(5)}
    copies = np.tile(np.arange(150), 4)
    honest = evaluate(cross_validate(take(frame, copies), y[copies], 1, lambda done, total: None))
    assert abs(honest.auc - 0.5) < 0.15
    assert honest.verdict == "no signal"
