"""When an event is too late, and when a pane can no longer change."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.time.lateness import NO_WATERMARK_MS, Lateness
from streams.core.time.spans import parse_span
from tests.reference.windows import boundary_after

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000

patient = settings(deadline=None)


def bounds_for(lengths: list[str], allowance_s: int, final_after_s: int = 0) -> Lateness:
    return Lateness.for_spans([parse_span(length) for length in lengths], allowance_s, 600, final_after_s)


@pytest.mark.parametrize(
    ("lengths", "allowance_s", "final_after_s", "wait_ms", "keep_ms"),
    [
        (["5m", "1h"], 30 * 86_400, 10, {10: HOUR}, {10: 2 * HOUR}),
        (
            ["1h", "24h", "7d"],
            2 * 86_400,
            10,
            {10: HOUR, 300: DAY, 3600: 2 * DAY},
            {10: 2 * HOUR, 300: 2 * DAY, 3600: 9 * DAY},
        ),
        (["60s"], 86_400, 7_200, {10: 2 * HOUR}, {10: 2 * HOUR + MINUTE}),
        (["60s"], 10, 7_200, {10: 10_000}, {10: 70_000}),
        (["60s"], 86_400, 0, {10: MINUTE}, {10: 2 * MINUTE}),
    ],
)
def test_a_pane_stays_open_for_its_longest_window_and_the_wait_of_a_replay(
    lengths: list[str], allowance_s: int, final_after_s: int, wait_ms: dict[int, int], keep_ms: dict[int, int]
) -> None:
    bounds = bounds_for(lengths, allowance_s, final_after_s)
    assert (bounds.wait_ms, bounds.keep_ms) == (wait_ms, keep_ms)
    assert bounds.resolutions_s == tuple(sorted(keep_ms))


def test_the_longest_window_is_the_longest_of_all_resolutions() -> None:
    assert bounds_for(["5m", "24h", "90m"], 3600).longest_window_ms == DAY


@pytest.mark.parametrize(("time_ms", "late"), [(0, False), (1, False), (-1, True)])
def test_an_event_as_late_as_allowed_still_counts(time_ms: int, late: bool) -> None:
    assert bounds_for(["5m"], 3600).is_late(time_ms, HOUR) == late


def test_before_the_first_event_no_event_is_late_and_no_pane_closed() -> None:
    bounds = bounds_for(["5m"], 10)
    assert not bounds.is_late(-(2**50), NO_WATERMARK_MS)
    assert not bounds.is_closed(-(2**50), 10, NO_WATERMARK_MS)


@pytest.mark.parametrize(("watermark_ms", "closed"), [(10 * MINUTE + 9_999, False), (10 * MINUTE + 10_000, True)])
def test_a_pane_closes_when_its_end_is_that_far_behind(watermark_ms: int, closed: bool) -> None:
    assert bounds_for(["5m"], 3600).is_closed(0, 10, watermark_ms) == closed


@patient
@given(
    st.lists(st.sampled_from(("60s", "5m", "1h", "90m", "24h", "26h", "7d")), min_size=1, unique=True),
    st.sampled_from((10, 60, 3600, 86_400, 2_592_000)),
    st.integers(0, 2**40),
    st.integers(0, 2**32),
)
def test_no_live_window_contains_a_closed_pane(
    lengths: list[str], allowance_s: int, now_ms: int, behind_ms: int
) -> None:
    bounds = bounds_for(lengths, allowance_s)
    watermark_ms = now_ms  # the latest possible: a watermark never exceeds the arrivals, nor these the present
    for span in map(parse_span, lengths):
        start_ms = (now_ms - behind_ms) // (span.resolution_s * 1000) * span.resolution_s * 1000
        if bounds.is_closed(start_ms, span.resolution_s, watermark_ms):
            assert start_ms < boundary_after(now_ms, span.name) - span.seconds * 1000
