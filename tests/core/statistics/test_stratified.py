"""The Mantel–Haenszel test and odds ratio, against published figures and the textbook's odds ratio."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.statistics.stratified import Stratum, mantel_haenszel_odds, mantel_haenszel_z
from tests.reference.textbook import odds_ratio

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors.json").read_text())
BERKELEY = [
    Stratum(512, 313, 89, 19),
    Stratum(353, 207, 17, 8),
    Stratum(120, 205, 202, 391),
    Stratum(138, 279, 131, 244),
    Stratum(53, 138, 94, 299),
    Stratum(22, 351, 24, 317),
]
"""Men and women admitted and rejected by department (Bickel, Hammel and O'Connell 1975; R's UCBAdmissions)."""

counts = st.integers(1, 10_000)


def test_the_common_odds_ratio_of_the_berkeley_admissions_is_the_published_one() -> None:
    found = mantel_haenszel_odds(BERKELEY)
    assert found is not None
    assert found[0] == pytest.approx(0.9046968, abs=5e-8)
    assert found[1] == pytest.approx((0.7719074, 1.0603298), abs=5e-8)


def test_the_test_of_the_berkeley_admissions_is_the_published_one() -> None:
    assert mantel_haenszel_z(BERKELEY) == pytest.approx(-math.sqrt(1.5246), abs=5e-5)


def test_the_odds_ratio_of_a_single_stratum_is_the_published_one() -> None:
    case = VECTORS["odds_ratio"]
    found = mantel_haenszel_odds([Stratum(case["a"], case["b"], case["c"], case["d"])])
    assert found is not None
    assert found[0] == pytest.approx(case["or"], abs=5e-6)
    assert found[1] == pytest.approx(case["ci95"], abs=5e-6)


@given(counts, counts, counts, counts)
def test_the_odds_ratio_of_a_single_stratum_is_the_plain_one(a: int, b: int, c: int, d: int) -> None:
    found = mantel_haenszel_odds([Stratum(a, b, c, d)])
    assert found is not None
    ratio, interval = odds_ratio((a, b), (c, d))
    assert found[0] == pytest.approx(ratio, rel=1e-9)
    assert found[1] == pytest.approx(interval, rel=1e-9)


def test_the_test_of_a_single_stratum_is_that_of_two_shares_times_the_root_of_1_less_1_in_n() -> None:
    case = VECTORS["two_prop"]
    stratum = Stratum(case["x1"], case["n1"] - case["x1"], case["x2"], case["n2"] - case["x2"])
    n = case["n1"] + case["n2"]
    assert mantel_haenszel_z([stratum]) * math.sqrt(n / (n - 1)) == pytest.approx(case["z"], abs=5.1e-7)


@pytest.mark.parametrize("empty", [Stratum(0, 0, 3, 4), Stratum(3, 4, 0, 0), Stratum(0, 0, 0, 0), Stratum(1, 0, 0, 0)])
def test_a_stratum_with_members_on_one_side_only_changes_no_result(empty: Stratum) -> None:
    assert not empty.is_informative
    assert mantel_haenszel_z([*BERKELEY, empty]) == mantel_haenszel_z(BERKELEY)
    assert mantel_haenszel_odds([*BERKELEY, empty]) == mantel_haenszel_odds(BERKELEY)


def test_without_a_possible_difference_there_is_no_odds_ratio_and_the_test_is_0() -> None:
    assert mantel_haenszel_odds([]) is None
    assert mantel_haenszel_odds([Stratum(0, 10, 0, 10)]) is None
    assert mantel_haenszel_odds([Stratum(0, 10, 5, 10)]) is None
    assert mantel_haenszel_z([]) == mantel_haenszel_z([Stratum(0, 10, 0, 10)]) == 0.0
