"""The textbook formulas give the published figures."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.reference.textbook import compound_churn, nps_answers_needed, nps_z, odds_ratio, two_sided_p

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())


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
