"""When an event is too late, and when a pane can no longer change."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.time.lateness import NO_WATERMARK_MS, Lateness
from streams.core.time.panes import parse_span
from tests.reference.windows import boundary_after

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000

patient = settings(deadline=None)


def of(lengths: list[str], allowance: int, final_after: int = 0) -> Lateness:
    return Lateness.of([parse_span(length) for length in lengths], allowance, 600, final_after)


@pytest.mark.parametrize(
    ("lengths", "allowance", "final_after", "wait", "keep"),
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
def test_a_pane_stays_open_for_its_longest_window_and_what_a_replay_waits_for(
    lengths: list[str], allowance: int, final_after: int, wait: dict[int, int], keep: dict[int, int]
) -> None:
    bounds = of(lengths, allowance, final_after)
    assert (bounds.wait_ms, bounds.keep_ms) == (wait, keep)
    assert bounds.resolutions_s == tuple(sorted(keep))


def test_the_longest_window_is_that_of_all_resolutions() -> None:
    assert of(["5m", "24h", "90m"], 3600).longest_window_ms == DAY


@pytest.mark.parametrize(("time", "late"), [(0, False), (1, False), (-1, True)])
def test_an_event_as_late_as_allowed_still_counts(time: int, late: bool) -> None:
    assert of(["5m"], 3600).is_late(time, HOUR) == late


def test_before_the_first_event_nothing_is_late_or_closed() -> None:
    bounds = of(["5m"], 10)
    assert not bounds.is_late(-(2**50), NO_WATERMARK_MS)
    assert not bounds.is_closed(-(2**50), 10, NO_WATERMARK_MS)


@pytest.mark.parametrize(("watermark", "closed"), [(10 * MINUTE + 9_999, False), (10 * MINUTE + 10_000, True)])
def test_a_pane_closes_when_its_end_is_that_far_behind(watermark: int, closed: bool) -> None:
    assert of(["5m"], 3600).is_closed(0, 10, watermark) == closed


@patient
@given(
    st.lists(st.sampled_from(("60s", "5m", "1h", "90m", "24h", "26h", "7d")), min_size=1, unique=True),
    st.sampled_from((10, 60, 3600, 86_400, 2_592_000)),
    st.integers(0, 2**40),
    st.integers(0, 2**32),
)
def test_no_live_window_contains_a_closed_pane(lengths: list[str], allowance: int, now: int, behind: int) -> None:
    bounds, watermark = of(lengths, allowance), now  # an arrival is never after now, and the watermark never after it
    for span in map(parse_span, lengths):
        start = (now - behind) // (span.resolution_s * 1000) * span.resolution_s * 1000
        if bounds.is_closed(start, span.resolution_s, watermark):
            assert start < boundary_after(now, span.name) - span.seconds * 1000
