import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.derived.tickets import LONGEST_DURATION_MS as LONGEST_MS_OF_A_TICKET
from streams.core.scores.base import SLOT_LIMIT, Accumulator
from streams.core.scores.calls import LONGEST_MS
from streams.core.scores.durations import (
    BUCKET_COUNT,
    FIRST_BUCKET,
    HISTOGRAM_STRIDE,
    bucket_middle_ms,
    bucket_of,
    duration_slots,
    mean_duration,
)
from streams.core.scores.handle_time import PARTS, HandleTime

LONGEST_HANDLE = 3 * LONGEST_MS
times = st.integers(0, LONGEST_HANDLE)


def counts_of(values: list[int]) -> dict[str, int]:
    acc: Accumulator = {}
    for value in values:
        HandleTime().add(acc, duration_slots(value))
    computed = mean_duration(acc, sum(values), {})
    assert computed is not None
    return computed.counts


def exact(values: list[int], percent: int) -> int:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


@given(times)
def test_the_middle_of_its_bucket_is_within_one_percent_of_any_duration(ms: int) -> None:
    assert abs(bucket_middle_ms(bucket_of(ms)) - ms) <= ms / 128
    assert ms >= 128 or bucket_middle_ms(bucket_of(ms)) == ms


@given(times, times)
def test_buckets_keep_the_order_of_durations(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert bucket_of(low) <= bucket_of(high)


def test_buckets_are_bounded() -> None:
    assert bucket_of(LONGEST_MS_OF_A_TICKET) < BUCKET_COUNT
    assert FIRST_BUCKET + BUCKET_COUNT <= HISTOGRAM_STRIDE
    assert (len(PARTS) + 1) * HISTOGRAM_STRIDE <= SLOT_LIMIT


@given(st.lists(times, min_size=1, max_size=300))
def test_percentiles_are_within_one_percent_of_the_exact_ones(values: list[int]) -> None:
    counts = counts_of(values)
    assert counts["p50_ms"] == pytest.approx(exact(values, 50), rel=0.01)
    assert counts["p90_ms"] == pytest.approx(exact(values, 90), rel=0.01)


def test_percentiles_of_many_calls_with_a_realistic_distribution() -> None:
    draw = random.Random(7)
    values = [round(1000 * draw.lognormvariate(5, 1)) for _ in range(20_000)]
    counts = counts_of(values)
    assert counts["p50_ms"] == pytest.approx(exact(values, 50), rel=0.01)
    assert counts["p90_ms"] == pytest.approx(exact(values, 90), rel=0.01)


@given(st.lists(times, min_size=2, max_size=50))
def test_the_two_slots_of_the_squares_add_up(values: list[int]) -> None:
    acc: Accumulator = {}
    for value in values:
        HandleTime().add(acc, duration_slots(value))
    assert acc.get(8, 0) + acc.get(9, 0) * 2**38 == sum(value * value for value in values)
