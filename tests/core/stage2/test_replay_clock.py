"""The replay clock: which boundaries are due, and the final results at each.

With windows of one hour and a wait of five minutes, the boundary at 13:00 is due when the watermark of the slowest
source partition reaches 13:05:

        12:00                      13:00  13:05
    panes |--|--|--|--|--|--|--|--|--|--|--|--|
          [--------- window ---------) wait |
                                     ^      ^ watermark: the boundary is due
                                     boundary
"""

import pytest

from schemas.pane import Pane, Watermark
from schemas.score import Score
from streams.app import definition
from streams.core.stage2.replay_clock import ReplayClock
from streams.core.time.instants import to_datetime, to_ms
from tests.reference.contracts import CALLS, SURVEYS
from tests.support.arrivals import DAY, HOUR, MINUTE, NOON, SECOND
from tests.support.stream import new_windows, settings_with

Place = tuple[str, int]
SURVEYS_0, CALLS_0 = (SURVEYS, 0), (CALLS, 0)


class Clock:
    """A replay clock over windows of one hour with a wait of five minutes; results as (end after noon, n)."""

    def __init__(self, every: int, ends: dict[Place, int], length: str = "1h", allowance: str = "5m") -> None:
        settings = settings_with(windows={"lengths": [length]}, lateness={"allowance": allowance})
        self.windows = new_windows(settings)
        self.clock = ReplayClock(self.windows, definition(settings).lateness, every, ends)
        self.resolution = settings.spans()[0].resolution_s

    def answer(self, time: int, *, version: int = 1, cell: str = "all") -> None:
        width = self.resolution * 1000
        self.clock.apply(
            Pane(
                cut="total",
                cell=cell,
                resolution=self.resolution,
                start=to_datetime(time - time % width),
                topic=SURVEYS,
                partition=0,
                version=version,
                last={},
                counts={"nps": {10: version}},
            )
        )

    def mark(self, time: int | None, place: Place = SURVEYS_0, offset: int = 0) -> None:
        when = None if time is None else to_datetime(time)
        self.clock.apply_watermark(Watermark(topic=place[0], partition=place[1], offset=offset, time=when))

    def due(self) -> list[tuple[int, int]]:
        return ends_of(list(self.clock.due()))

    def finish(self) -> list[tuple[int, int]]:
        return ends_of(list(self.clock.finish()))


def ends_of(results: list[Score]) -> list[tuple[int, int]]:
    assert all(result.final for result in results)
    return [(to_ms(result.end) - NOON, result.n) for result in results]


@pytest.mark.parametrize(("mark", "due"), [(HOUR + 5 * MINUTE - 1, []), (HOUR + 5 * MINUTE, [(HOUR, 1)])])
def test_a_boundary_is_due_once_the_watermark_has_passed_it_by_the_wait(mark: int, due: list[tuple[int, int]]) -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100})
    clock.answer(NOON)
    clock.mark(NOON + mark)
    assert clock.due() == due
    assert clock.due() == []


def test_the_slowest_source_partition_decides() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100, CALLS_0: 100})
    clock.answer(NOON)
    clock.mark(NOON + DAY)
    assert clock.due() == [], "the other one has no watermark yet"
    clock.mark(NOON + HOUR, CALLS_0)
    assert clock.due() == []
    clock.mark(NOON + 2 * HOUR, CALLS_0, offset=50)
    assert clock.due() == [(HOUR, 1)]


def test_a_source_partition_read_to_its_end_does_not_hold_back_the_others() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100, CALLS_0: 3})
    clock.answer(NOON)
    clock.mark(NOON + DAY)
    clock.mark(NOON, CALLS_0, offset=1)
    assert clock.due() == []
    clock.mark(NOON, CALLS_0, offset=2)
    assert clock.due()[0] == (HOUR, 1)


def test_a_source_partition_outside_the_replay_does_not_hold_back_the_others() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100})
    clock.answer(NOON)
    clock.mark(NOON + DAY)
    clock.mark(NOON, CALLS_0)
    assert clock.due()[0] == (HOUR, 1)


def test_a_repeated_older_watermark_changes_nothing() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100})
    clock.answer(NOON)
    clock.mark(NOON + 2 * HOUR)
    clock.mark(NOON)
    assert clock.due() == [(HOUR, 1)]


def test_an_event_before_the_first_expected_boundary_adds_an_earlier_one() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100})
    clock.answer(NOON + HOUR)
    clock.mark(NOON + HOUR)
    assert clock.due() == []
    clock.answer(NOON + HOUR - MINUTE)
    clock.mark(NOON + 3 * HOUR)
    assert clock.due() == [(HOUR, 1), (2 * HOUR, 1)]


def test_a_correction_within_the_wait_is_in_the_result() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100})
    clock.answer(NOON)
    clock.mark(NOON + HOUR + 4 * MINUTE)
    assert clock.due() == []
    clock.answer(NOON, version=2)
    clock.mark(NOON + HOUR + 5 * MINUTE)
    assert clock.due() == [(HOUR, 2)]


def test_boundaries_are_published_even_if_nothing_changed_since_the_last_one() -> None:
    clock = Clock(10 * MINUTE, {SURVEYS_0: 100})
    clock.answer(NOON)
    clock.mark(NOON + HOUR)
    assert clock.due() == [(n * 10 * MINUTE, 1) for n in range(1, 6)]


def test_a_window_that_becomes_empty_is_published_once_with_null() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100})
    clock.answer(NOON)
    clock.answer(NOON + 4 * HOUR, cell="other")
    clock.mark(NOON + 6 * HOUR)
    assert clock.due() == [(HOUR, 1), (2 * HOUR, 0), (5 * HOUR, 1)]


@pytest.mark.parametrize(
    ("every", "length", "first"),
    [
        (10 * MINUTE, "7d", HOUR),
        (90 * MINUTE, "7d", 3 * HOUR),
        (15 * SECOND, "1h", 30 * SECOND),
        (DAY, "7d", 12 * HOUR),
    ],
)
def test_a_boundary_is_a_multiple_of_the_resolution_too(every: int, length: str, first: int) -> None:
    clock = Clock(every, {SURVEYS_0: 100}, length)
    clock.answer(NOON)
    clock.mark(NOON + 2 * DAY)
    assert clock.due()[0] == (first, 1)


def test_finish_gives_the_remaining_boundaries_and_the_end_of_the_pane_with_the_newest_event() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100})
    clock.answer(NOON)
    clock.answer(NOON + 2 * HOUR + 20 * SECOND)
    clock.mark(NOON + 2 * HOUR + 25 * SECOND)
    assert clock.due() == [(HOUR, 1)]
    assert clock.finish() == [(2 * HOUR, 0), (2 * HOUR + 30 * SECOND, 1)]


def test_an_end_that_is_a_boundary_is_published_once() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100})
    clock.answer(NOON + HOUR - 1)
    clock.mark(NOON + HOUR - 1)
    assert clock.finish() == [(HOUR, 1)]


def test_an_event_on_a_boundary_lies_in_the_window_after_it() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100})
    clock.answer(NOON)
    clock.answer(NOON + HOUR)
    clock.mark(NOON + HOUR)
    assert clock.finish() == [(HOUR, 1), (HOUR + 10 * SECOND, 1)]


def test_without_boundaries_there_are_only_results_at_the_end() -> None:
    clock = Clock(0, {SURVEYS_0: 100})
    clock.answer(NOON)
    clock.mark(NOON + MINUTE)
    assert clock.due() == []
    assert clock.finish() == [(MINUTE + 10 * SECOND, 1)]


def test_without_boundaries_panes_that_the_end_cannot_contain_are_dropped_early() -> None:
    clock = Clock(0, {SURVEYS_0: 100})
    for hour in range(100):
        clock.answer(NOON + hour * HOUR)
        clock.mark(NOON + hour * HOUR, offset=hour)
        clock.due()
        assert clock.windows.oldest_pane_ms(10) == NOON + hour * HOUR
    assert clock.finish() == [(99 * HOUR + 10 * SECOND, 1)]


def test_without_any_event_there_is_no_result() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 1})
    clock.mark(None)
    assert clock.due() == []
    assert clock.finish() == []
