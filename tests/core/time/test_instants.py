"""Instants are whole milliseconds, rounded down, whatever the zone."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.time.instants import to_datetime, to_ms

patient = settings(deadline=None)


@patient
@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_milliseconds_and_moments_are_the_same(ms: int) -> None:
    assert to_ms(to_datetime(ms)) == ms


@pytest.mark.parametrize(
    ("time", "ms"),
    [
        (datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), 0),
        (datetime(1970, 1, 1, 0, 0, 0, 999, tzinfo=UTC), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC), 1_709_251_199_999),
    ],
)
def test_milliseconds_are_utc_and_round_down(time: datetime, ms: int) -> None:
    assert to_ms(time) == ms
