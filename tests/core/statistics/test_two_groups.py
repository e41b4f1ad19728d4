"""Two groups compared, against published figures and scipy."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.statistics.two_groups import (
    Z95_ONE_SIDED,
    Moments,
    Stratum,
    mantel_haenszel_odds,
    mantel_haenszel_z,
    welch_interval,
    welch_z,
)

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

samples = st.lists(st.integers(0, 1_000), min_size=2, max_size=40).filter(lambda values: len(set(values)) > 1)
patient = settings(deadline=None)


def moments(values: list[int]) -> Moments:
    return Moments(len(values), sum(values), sum(value * value for value in values))


def test_one_side_is_the_five_percent_quantile() -> None:
    assert pytest.approx(scipy.stats.norm.ppf(0.95), abs=1e-15) == Z95_ONE_SIDED


def test_the_common_odds_ratio_of_the_berkeley_admissions_is_the_published_one() -> None:
    found = mantel_haenszel_odds(BERKELEY)
    assert found is not None
    assert found[0] == pytest.approx(0.9046968, abs=5e-8)
    assert found[1] == pytest.approx((0.7719074, 1.0603298), abs=5e-8)


def test_the_test_of_the_berkeley_admissions_is_the_published_one() -> None:
    assert mantel_haenszel_z(BERKELEY) == pytest.approx(-math.sqrt(1.5246), abs=5e-5)


def test_of_one_stratum_the_odds_ratio_is_the_plain_one() -> None:
    case = VECTORS["odds_ratio"]
    found = mantel_haenszel_odds([Stratum(case["a"], case["b"], case["c"], case["d"])])
    assert found is not None
    assert found[0] == pytest.approx(case["or"], abs=5e-6)
    assert found[1] == pytest.approx(case["ci95"], abs=5e-6)


def test_of_one_stratum_the_test_is_that_of_two_shares_but_for_one_in_n() -> None:
    case = VECTORS["two_prop"]
    stratum = Stratum(case["x1"], case["n1"] - case["x1"], case["x2"], case["n2"] - case["x2"])
    n = case["n1"] + case["n2"]
    assert mantel_haenszel_z([stratum]) * math.sqrt(n / (n - 1)) == pytest.approx(case["z"], abs=5.1e-7)


@pytest.mark.parametrize("empty", [Stratum(0, 0, 3, 4), Stratum(3, 4, 0, 0), Stratum(0, 0, 0, 0), Stratum(1, 0, 0, 0)])
def test_a_stratum_without_a_counterpart_tells_nothing(empty: Stratum) -> None:
    assert not empty.is_informative
    assert mantel_haenszel_z([*BERKELEY, empty]) == mantel_haenszel_z(BERKELEY)
    assert mantel_haenszel_odds([*BERKELEY, empty]) == mantel_haenszel_odds(BERKELEY)


def test_where_nothing_can_differ_there_is_no_odds_ratio_and_no_excess() -> None:
    assert mantel_haenszel_odds([]) is None
    assert mantel_haenszel_odds([Stratum(0, 10, 0, 10)]) is None
    assert mantel_haenszel_odds([Stratum(0, 10, 5, 10)]) is None
    assert mantel_haenszel_z([]) == mantel_haenszel_z([Stratum(0, 10, 0, 10)]) == 0.0


@patient
@given(samples, samples)
def test_two_means_are_compared_as_scipy_does(first: list[int], second: list[int]) -> None:
    one, other = moments(first), moments(second)
    tested = scipy.stats.ttest_ind(first, second, equal_var=False)
    assert welch_z(one, other) == pytest.approx(tested.statistic, abs=1e-9)
    whole = math.floor(tested.df + 1e-9)
    half = scipy.stats.t.ppf(0.975, whole) * abs((one.mean - other.mean) / tested.statistic) if tested.statistic else 0
    interval = welch_interval(one, other)
    assert interval is not None
    if half:
        expected = (one.mean - other.mean - half, one.mean - other.mean + half)
        assert interval == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("first", "second"), [([5], [1, 2]), ([1, 2], [5])])
def test_one_value_has_no_interval(first: list[int], second: list[int]) -> None:
    assert welch_interval(moments(first), moments(second)) is None


@pytest.mark.parametrize(("first", "second", "z"), [(3, 1, math.inf), (1, 3, -math.inf), (2, 2, 0.0)])
def test_means_of_what_does_not_vary_differ_for_sure_or_not_at_all(first: int, second: int, z: float) -> None:
    one, other = moments([first] * 3), moments([second] * 4)
    assert welch_z(one, other) == z
    assert welch_interval(one, other) == (first - second, first - second)
