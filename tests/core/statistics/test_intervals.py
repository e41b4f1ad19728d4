import json
import math
from pathlib import Path
from typing import Any

import pytest
import scipy.stats

from streams.core.statistics.intervals import (
    adjusted_wald_nps,
    compound_churn,
    mean_interval,
    nps_answers_needed,
    nps_variance,
    nps_z,
    odds_ratio,
    t_quantile,
    two_proportion_z,
    two_sided_p,
    wilson,
)

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
def test_two_nps_are_compared_on_the_adjusted_values(case: dict[str, Any]) -> None:
    a, b, expected = case["a"], case["b"], case["adj"]
    z = nps_z((a["pro"], a["det"], a["n"]), (b["pro"], b["det"], b["n"]))
    assert z == pytest.approx(expected["z"], abs=5.1e-6)
    assert z == pytest.approx(expected["diff"] / expected["se"], rel=1e-4)
    assert two_sided_p(z) == pytest.approx(expected["p"], rel=1e-3)


@pytest.mark.parametrize(("variance", "margin", "n"), VECTORS["nps_sample_size"][0]["rows"])
def test_answers_needed_for_a_margin(variance: float, margin: float, n: int) -> None:
    assert nps_answers_needed(100 * margin, variance, z=1.96) == n


@pytest.mark.parametrize(("difference", "n"), VECTORS["nps_sample_size"][1]["rows"])
def test_answers_needed_to_see_a_difference_with_power_80_percent(difference: float, n: int) -> None:
    assert nps_answers_needed(100 * difference, 0.67, z=1.645 + 0.842) == n


@pytest.mark.parametrize(("successes", "n", "lower", "upper"), VECTORS["wilson95"])
def test_the_interval_of_a_share_is_wilsons(successes: int, n: int, lower: float, upper: float) -> None:
    assert wilson(successes, n) == pytest.approx((lower, upper), abs=5.1e-7)


@pytest.mark.parametrize("n", [1, 2, 5, 30, 1000])
def test_wilson_agrees_with_scipy_at_every_count(n: int) -> None:
    for successes in range(0, n + 1, max(1, n // 10)):
        expected = scipy.stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
        assert wilson(successes, n) == pytest.approx((float(expected.low), float(expected.high)), abs=1e-12)


def test_two_shares_are_compared_by_the_pooled_test() -> None:
    case = VECTORS["two_prop"]
    z = two_proportion_z((case["x1"], case["n1"]), (case["x2"], case["n2"]))
    assert z == pytest.approx(case["z"], abs=5.1e-7)
    assert two_sided_p(z) == pytest.approx(case["p"], abs=5.1e-6)


@pytest.mark.parametrize("successes", [0, 10])
def test_two_shares_that_are_both_none_or_both_all_do_not_differ(successes: int) -> None:
    assert two_proportion_z((successes, 10), (successes, 10)) == 0


def test_an_odds_ratio_has_its_logit_interval() -> None:
    case = VECTORS["odds_ratio"]
    ratio, interval = odds_ratio((case["a"], case["b"]), (case["c"], case["d"]))
    assert ratio == pytest.approx(case["or"], abs=5.1e-6)
    assert interval == pytest.approx(case["ci95"], abs=5.1e-6)


def test_monthly_churn_compounds_to_a_year() -> None:
    case = VECTORS["churn_compound"]
    assert compound_churn(0.05) == pytest.approx(case["monthly_0.05_annual"], abs=5.1e-7)
    assert compound_churn(0.03) == pytest.approx(case["monthly_0.03_annual"], abs=5.1e-7)
    assert (compound_churn(0.0), compound_churn(1.0)) == (0.0, 1.0)
    assert compound_churn(0.2, periods=1) == pytest.approx(0.2)


@pytest.mark.parametrize("freedom", [*range(1, 60), 99, 198, 199, 200, 201, 500, 5_000, 10**6, 10**9])
def test_the_quantile_of_t_agrees_with_scipy(freedom: int) -> None:
    assert t_quantile(freedom) == pytest.approx(float(scipy.stats.t.ppf(0.975, freedom)), rel=1e-11)


def test_a_mean_has_students_interval() -> None:
    answers = VECTORS["ces2"]["scores"]
    expected = scipy.stats.t.interval(0.95, 9, loc=4.7, scale=scipy.stats.sem(answers))
    assert mean_interval(sum(answers), sum(a * a for a in answers), 10) == pytest.approx(expected, rel=1e-12)


def test_one_answer_has_no_interval_and_equal_answers_a_point() -> None:
    assert mean_interval(5, 25, 1) is None
    assert mean_interval(15, 75, 3) == (5, 5)


def test_the_deviation_is_exact_where_floating_point_sums_would_cancel() -> None:
    total = 10**9 + (10**9 + 1) + (10**9 + 2)
    squares = (10**9) ** 2 + (10**9 + 1) ** 2 + (10**9 + 2) ** 2
    half = t_quantile(2) / math.sqrt(3)
    assert mean_interval(total, squares, 3) == pytest.approx((10**9 + 1 - half, 10**9 + 1 + half), rel=1e-15)
