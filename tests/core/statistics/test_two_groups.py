"""Two shares or two means compared, against published figures and scipy."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.statistics.two_groups import Moments, two_proportion_z, welch_interval, welch_z
from tests.reference.textbook import two_sided_p

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors.json").read_text())

samples = st.lists(st.integers(0, 1_000), min_size=2, max_size=40).filter(lambda values: len(set(values)) > 1)
patient = settings(deadline=None)


def moments(values: list[int]) -> Moments:
    return Moments(len(values), sum(values), sum(value * value for value in values))


def test_two_shares_are_compared_by_the_pooled_test() -> None:
    case = VECTORS["two_prop"]
    z = two_proportion_z((case["x1"], case["n1"]), (case["x2"], case["n2"]))
    assert z == pytest.approx(case["z"], abs=5.1e-7)
    assert two_sided_p(z) == pytest.approx(case["p"], abs=5.1e-6)


@pytest.mark.parametrize("successes", [0, 10])
def test_two_shares_of_0_or_of_100_percent_do_not_differ(successes: int) -> None:
    assert two_proportion_z((successes, 10), (successes, 10)) == 0


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
def test_with_a_single_value_on_one_side_there_is_no_interval(first: list[int], second: list[int]) -> None:
    assert welch_interval(moments(first), moments(second)) is None


@pytest.mark.parametrize(("first", "second", "z"), [(3, 1, math.inf), (1, 3, -math.inf), (2, 2, 0.0)])
def test_means_of_samples_without_variation_differ_for_sure_or_not_at_all(first: int, second: int, z: float) -> None:
    one, other = moments([first] * 3), moments([second] * 4)
    assert welch_z(one, other) == z
    assert welch_interval(one, other) == (first - second, first - second)
