"""What a table model is made of: coefficients, steps and interactions that made the labels are found again."""

import numpy as np
import pytest
from scipy.special import expit

from streams.fitting.columns import Categorical, Frame, Numeric
from streams.fitting.evaluation import evaluate
from streams.fitting.leaver_rates import leaver_rates
from streams.fitting.logit import fit_logit
from streams.fitting.predictions import cross_validate
from streams.fitting.selection import fit_models

RNG = np.random.default_rng(11)


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
