"""The clock of a replay: which boundaries are due, and what is final at each."""

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
    """Boundaries over windows of one hour, with five minutes to wait; `due` and `finish` as (end, n)."""

    def __init__(self, every: int, ends: dict[Place, int], length: str = "1h", allowance: str = "5m") -> None:
        settings = settings_with(windows={"lengths": [length]}, lateness={"allowance": allowance})
        self.windows = new_windows(settings)
        self.boundaries = ReplayClock(self.windows, definition(settings).lateness, every, ends)
        self.resolution = settings.spans()[0].resolution_s

    def answer(self, time: int, *, version: int = 1, cell: str = "all") -> None:
        width = self.resolution * 1000
        self.boundaries.apply(
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
        self.boundaries.mark(Watermark(topic=place[0], partition=place[1], offset=offset, time=when))

    def due(self) -> list[tuple[int, int]]:
        return ends_of(list(self.boundaries.due()))

    def finish(self) -> list[tuple[int, int]]:
        return ends_of(list(self.boundaries.finish()))


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
    assert clock.due() == [], "of the other nothing is known yet"
    clock.mark(NOON + HOUR, CALLS_0)
    assert clock.due() == []
    clock.mark(NOON + 2 * HOUR, CALLS_0, offset=50)
    assert clock.due() == [(HOUR, 1)]


def test_what_has_been_read_to_its_end_holds_nobody_back() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100, CALLS_0: 3})
    clock.answer(NOON)
    clock.mark(NOON + DAY)
    clock.mark(NOON, CALLS_0, offset=1)
    assert clock.due() == []
    clock.mark(NOON, CALLS_0, offset=2)
    assert clock.due()[0] == (HOUR, 1)


def test_what_is_not_part_of_the_replay_holds_nobody_back() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100})
    clock.answer(NOON)
    clock.mark(NOON + DAY)
    clock.mark(NOON, CALLS_0)
    assert clock.due()[0] == (HOUR, 1)


def test_an_older_watermark_that_comes_again_changes_nothing() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 100})
    clock.answer(NOON)
    clock.mark(NOON + 2 * HOUR)
    clock.mark(NOON)
    assert clock.due() == [(HOUR, 1)]


def test_an_event_before_the_first_boundary_that_seemed_due_brings_its_own() -> None:
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


def test_boundaries_between_which_nothing_changes_are_published_all_the_same() -> None:
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
def test_a_boundary_is_a_multiple_of_the_panes_too(every: int, length: str, first: int) -> None:
    clock = Clock(every, {SURVEYS_0: 100}, length)
    clock.answer(NOON)
    clock.mark(NOON + 2 * DAY)
    assert clock.due()[0] == (first, 1)


def test_at_the_end_come_the_boundaries_that_are_left_and_the_first_after_the_newest_event() -> None:
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


def test_without_boundaries_there_is_the_end_only() -> None:
    clock = Clock(0, {SURVEYS_0: 100})
    clock.answer(NOON)
    clock.mark(NOON + MINUTE)
    assert clock.due() == []
    assert clock.finish() == [(MINUTE + 10 * SECOND, 1)]


def test_without_boundaries_what_the_end_cannot_contain_is_forgotten_on_the_way() -> None:
    clock = Clock(0, {SURVEYS_0: 100})
    for hour in range(100):
        clock.answer(NOON + hour * HOUR)
        clock.mark(NOON + hour * HOUR, offset=hour)
        clock.due()
        assert clock.windows.earliest(10) == NOON + hour * HOUR
    assert clock.finish() == [(99 * HOUR + 10 * SECOND, 1)]


def test_with_no_event_at_all_there_is_no_result() -> None:
    clock = Clock(HOUR, {SURVEYS_0: 1})
    clock.mark(None)
    assert clock.due() == []
    assert clock.finish() == []
