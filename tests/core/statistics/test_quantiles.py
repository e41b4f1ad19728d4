"""Quantiles of the normal distribution and of Student's t, against scipy."""

import pytest
import scipy.stats

from streams.core.statistics.quantiles import Z95, Z95_ONE_SIDED, t_quantile


def test_the_constants_are_the_quantiles_of_the_normal_distribution() -> None:
    assert pytest.approx(scipy.stats.norm.ppf(0.975), abs=1e-15) == Z95
    assert pytest.approx(scipy.stats.norm.ppf(0.95), abs=1e-15) == Z95_ONE_SIDED


@pytest.mark.parametrize("freedom", [*range(1, 60), 99, 198, 199, 200, 201, 500, 5_000, 10**6, 10**9])
def test_the_quantile_of_t_agrees_with_scipy(freedom: int) -> None:
    assert t_quantile(freedom) == pytest.approx(float(scipy.stats.t.ppf(0.975, freedom)), rel=1e-11)
