"""Panes: every time lies in exactly one of each width."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.time.panes import RESOLUTIONS_S, pane_start

patient = settings(deadline=None)


@patient
@given(st.integers(-(2**45), 2**45), st.sampled_from(RESOLUTIONS_S))
def test_a_time_lies_in_the_one_pane_that_starts_at_or_before_it(time_ms: int, resolution_s: int) -> None:
    start_ms = pane_start(time_ms, resolution_s)
    assert start_ms % (resolution_s * 1000) == 0
    assert start_ms <= time_ms < start_ms + resolution_s * 1000
