"""Intervals of shares, means and NPS, against published figures and scipy."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import scipy.stats

from streams.core.statistics.intervals import adjusted_nps, adjusted_wald_nps, mean_interval, nps_variance, wilson
from streams.core.statistics.quantiles import t_quantile

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors.json").read_text())


def split(answers: list[int]) -> tuple[int, int, int]:
    return sum(a >= 9 for a in answers), sum(a <= 6 for a in answers), len(answers)


@pytest.mark.parametrize("case", [v for v in VECTORS["nps_basic"] if "var" in v], ids=lambda v: str(v["scores"]))
def test_the_variance_of_an_nps_is_the_published_one(case: dict[str, Any]) -> None:
    promoters, detractors, n = split(case["scores"])
    variance = nps_variance(promoters, detractors, n)
    assert variance == pytest.approx(case["var"], abs=1e-8)
    assert math.sqrt(variance / n) == pytest.approx(case["se"], abs=1e-3)


@pytest.mark.parametrize("case", VECTORS["nps_ci_95"], ids=lambda v: f"{v['pro']}-{v['pas']}-{v['det']}")
def test_the_interval_of_an_nps_is_the_adjusted_one(case: dict[str, Any]) -> None:
    n = case["pro"] + case["pas"] + case["det"]
    expected = case.get("adj", case.get("adj_clamped"))
    assert adjusted_wald_nps(case["pro"], case["det"], n) == pytest.approx(expected, abs=5.1e-4)
    if "se" in case:
        error = 100 * math.sqrt(nps_variance(case["pro"], case["det"], n) / n)
        assert error == pytest.approx(case["se"], abs=5.1e-5)


def test_the_interval_of_an_nps_stays_on_the_scale() -> None:
    assert adjusted_wald_nps(10, 0, 10)[1] == 100
    assert adjusted_wald_nps(0, 10, 10)[0] == -100


@pytest.mark.parametrize("case", VECTORS["nps_two_sample"])
def test_two_adjusted_nps_differ_by_as_much_as_was_computed_elsewhere(case: dict[str, Any]) -> None:
    (one, one_error), (other, other_error) = (adjusted_nps(case[k]["pro"], case[k]["det"], case[k]["n"]) for k in "ab")
    error = math.hypot(one_error, other_error)
    assert one - other == pytest.approx(case["adj"]["diff"], abs=5.1e-5)
    assert error == pytest.approx(case["adj"]["se"], abs=5.1e-5)
    assert (one - other) / error == pytest.approx(case["adj"]["z"], abs=5.1e-6)


@pytest.mark.parametrize(("successes", "n", "lower", "upper"), VECTORS["wilson95"])
def test_the_interval_of_a_share_is_wilsons(successes: int, n: int, lower: float, upper: float) -> None:
    assert wilson(successes, n) == pytest.approx((lower, upper), abs=5.1e-7)


@pytest.mark.parametrize("n", [1, 2, 5, 30, 1000])
def test_wilson_agrees_with_scipy_at_every_count(n: int) -> None:
    for successes in range(0, n + 1, max(1, n // 10)):
        expected = scipy.stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
        assert wilson(successes, n) == pytest.approx((float(expected.low), float(expected.high)), abs=1e-12)


def test_a_mean_has_students_interval() -> None:
    answers = VECTORS["ces2"]["scores"]
    expected = scipy.stats.t.interval(0.95, 9, loc=4.7, scale=scipy.stats.sem(answers))
    assert mean_interval(sum(answers), sum(a * a for a in answers), 10) == pytest.approx(expected, rel=1e-12)


def test_one_answer_has_no_interval_and_equal_answers_have_an_interval_of_one_point() -> None:
    assert mean_interval(5, 25, 1) is None
    assert mean_interval(15, 75, 3) == (5, 5)


def test_the_deviation_is_exact_where_floating_point_sums_would_cancel() -> None:
    total = 10**9 + (10**9 + 1) + (10**9 + 2)
    squares = (10**9) ** 2 + (10**9 + 1) ** 2 + (10**9 + 2) ** 2
    half = t_quantile(2) / math.sqrt(3)
    assert mean_interval(total, squares, 3) == pytest.approx((10**9 + 1 - half, 10**9 + 1 + half), rel=1e-15)
