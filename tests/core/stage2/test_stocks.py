"""The stock of a score at the end of a window: all events since the beginning up to that end.

      since the beginning             future panes
|--------------------------------------|----------|
                         [---window---)
                                       ^ end: stock = all time total - future panes
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.pane import Pane, Watermark
from schemas.score import Score
from streams.app import definition
from streams.core.events.source_label import DERIVED_LABEL
from streams.core.stage2.replay_clock import ReplayClock
from streams.core.stage2.windows import Windows
from streams.core.time.instants import to_datetime, to_ms
from streams.core.time.panes import ALL_TIME
from tests.reference.contracts import TICKETS
from tests.support.arrivals import DAY, HOUR, MINUTE, NOON, SECOND
from tests.support.stream import new_windows, settings_with

OPENED, SOLVED = range(2)
patient = settings(deadline=None)


class Desk:
    """Tickets opened and solved at a time (ms), as stage 1 counts them in panes and since the beginning."""

    def __init__(self, resolution: int = 10, **fields: Any) -> None:
        self.width = resolution * 1000
        self.fields: dict[str, Any] = {"cut": "total", "cell": "all", "topic": DERIVED_LABEL, "partition": 0} | fields
        self.resolution = resolution
        self.panes: dict[int, dict[int, int]] = {}
        self.all_time: dict[int, int] = {}
        self.version = 0

    def count(self, time: int, slot: int, number: int = 1, *, closed: bool = False) -> list[Pane]:
        """The partials that change; if the pane is closed, only the one of all time."""
        self.version += 1
        self.all_time[slot] = self.all_time.get(slot, 0) + number
        changed = [self._pane(ALL_TIME, 0, self.all_time)]
        if not closed:
            pane = self.panes.setdefault(time - time % self.width, {})
            pane[slot] = pane.get(slot, 0) + number
            changed.append(self._pane(self.resolution, time - time % self.width, pane))
        return changed

    def _pane(self, resolution: int, start: int, counts: dict[int, int]) -> Pane:
        return Pane(
            **self.fields,
            resolution=resolution,
            start=to_datetime(start),
            version=self.version,
            last={"backlog": to_datetime(start)},
            counts={"backlog": dict(counts)} if counts else {},
        )


def windows(*lengths: str) -> Windows:
    return new_windows(settings_with(windows={"lengths": list(lengths), "cuts": ["total"]}))


def take(stage: Windows, panes: list[Pane]) -> None:
    for pane in panes:
        stage.apply(pane)


def at(now: int, stage: Windows) -> list[tuple[str, float | None, int]]:
    stage.advance(now)
    return [(score.window, score.value, score.n) for score in stage.changed_results()]


def test_events_before_the_window_are_in_its_stock() -> None:
    stage, desk = windows("60s"), Desk()
    take(stage, desk.count(NOON, OPENED, 5))
    take(stage, desk.count(NOON + HOUR, SOLVED, 2))
    assert at(NOON + HOUR, stage) == [("60s", 3.0, 2)]


def test_future_events_are_not_in_the_stock() -> None:
    stage, desk = windows("60s"), Desk()
    take(stage, desk.count(NOON, OPENED, 5))
    take(stage, desk.count(NOON + MINUTE, SOLVED, 2))
    assert at(NOON, stage) == [("60s", 5.0, 5)]
    assert at(NOON + MINUTE, stage) == [("60s", 3.0, 2)]


def test_an_event_too_late_for_its_pane_still_changes_the_stock() -> None:
    stage, desk = windows("60s"), Desk()
    take(stage, desk.count(NOON, OPENED))
    assert at(NOON, stage) == [("60s", 1.0, 1)]
    take(stage, desk.count(NOON - 400 * DAY, OPENED, closed=True))
    assert at(NOON, stage) == [("60s", 2.0, 1)]


def test_a_quiet_window_keeps_its_stock_and_is_not_published_again() -> None:
    stage, desk = windows("60s", "5m"), Desk()
    take(stage, desk.count(NOON, OPENED, 2))
    assert at(NOON, stage) == [("60s", 2.0, 2), ("5m", 2.0, 2)]
    assert at(NOON + MINUTE, stage) == [("60s", 2.0, 0)]
    assert at(NOON + 5 * MINUTE, stage) == [("5m", 2.0, 0)]
    assert at(NOON + DAY, stage) == []
    assert {(score.value, score.n) for score in stage.final_results(10)} == {(2.0, 0)}


@pytest.mark.parametrize(("jump", "n"), [(30 * SECOND, 1), (HOUR, 0), (DAY, 0)])
def test_a_jump_over_future_panes_changes_the_stock(jump: int, n: int) -> None:
    stage, desk = windows("60s"), Desk()
    take(stage, desk.count(NOON - HOUR, OPENED))
    take(stage, desk.count(NOON + 30 * SECOND, OPENED))
    assert at(NOON, stage) == [("60s", 1.0, 0)]
    assert at(NOON + jump, stage) == [("60s", 2.0, n)]


def test_a_restart_restores_the_stock_and_publishes_only_changes() -> None:
    stage, desk = windows("60s"), Desk()
    panes = [*desk.count(NOON, OPENED, 3), *desk.count(NOON + DAY, SOLVED)]
    take(stage, panes)
    stage.advance(NOON + DAY)
    [published] = stage.changed_results()
    successor = windows("60s")
    successor.restore(published)
    take(successor, panes)
    assert at(NOON + DAY, successor) == []
    take(successor, desk.count(NOON + DAY, SOLVED))
    assert at(NOON + DAY, successor) == [("60s", 1.0, 2)]


def test_the_revision_counts_every_change_since_the_beginning() -> None:
    stage, desk = windows("60s"), Desk()
    take(stage, desk.count(NOON, OPENED))
    stage.advance(NOON)
    [first] = stage.changed_results()
    take(stage, desk.count(NOON - DAY, OPENED, closed=True))
    [second] = stage.changed_results()
    assert (first.end, second.end) == (to_datetime(NOON + 10 * SECOND),) * 2
    assert first.revision < second.revision


def test_an_older_partial_of_all_time_changes_nothing() -> None:
    stage, desk = windows("60s"), Desk()
    older, newer = desk.count(NOON, OPENED), desk.count(NOON, OPENED)
    take(stage, newer)
    assert not stage.apply(older[0])
    assert not stage.apply(newer[0])
    assert at(NOON, stage) == [("60s", 2.0, 2)]


def test_source_partitions_add_up() -> None:
    stage = windows("60s")
    take(stage, Desk(partition=0).count(NOON, OPENED, 3))
    take(stage, Desk(partition=1).count(NOON - DAY, OPENED, 4))
    assert at(NOON, stage) == [("60s", 7.0, 3)]


moves = st.lists(
    st.tuples(st.integers(-40, 40), st.sampled_from((OPENED, SOLVED)), st.integers(0, 2), st.booleans()), max_size=30
)


@patient
@given(moves, st.lists(st.integers(-50, 50), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_at_any_end_the_stock_is_the_sum_of_all_events_before_it(
    events: list[tuple[int, int, int, bool]], ends: list[int], chance: Any
) -> None:
    """In any order of partials, with slides in between."""
    stage, desks = windows("60s", "5m"), [Desk(partition=number) for number in range(3)]
    panes, counted = [], []
    for time, slot, partition, is_late in events:
        closed = is_late and time < -35
        panes += desks[partition].count(NOON + time * 10 * SECOND, slot, closed=closed)
        counted.append((NOON + time * 10 * SECOND, slot, closed))
    chance.shuffle(panes)
    waiting = sorted(set(ends))
    for pane in panes:
        stage.apply(pane)
        if waiting and chance.random() < 0.1:
            stage.slide(10, NOON + waiting.pop(0) * 10 * SECOND)
    for end in [NOON + number * 10 * SECOND for number in waiting] or [NOON + 60 * 10 * SECOND]:
        stage.slide(10, end)
        before = [slot for time, slot, closed in counted if time < end or closed]
        expected = float(before.count(OPENED) - before.count(SOLVED)) if before else None
        found = [score.value for score in stage.final_results(10)]
        assert found == ([] if expected is None else [expected] * 2)


class TestInAReplay:
    """At every boundary from the first event on, with partials and watermarks in several parts."""

    def clock(self, every: int) -> ReplayClock:
        settings = settings_with(windows={"lengths": ["1h"], "cuts": ["total"]}, lateness={"allowance": "5m"})
        return ReplayClock(new_windows(settings), definition(settings).lateness, every, {(TICKETS, 0): 100})

    def mark(self, clock: ReplayClock, time: int) -> None:
        clock.apply_watermark(Watermark(topic=TICKETS, partition=0, offset=0, time=to_datetime(time)))

    def published(self, results: list[Score]) -> list[tuple[int, float | None]]:
        return [((to_ms(score.end) - NOON) // HOUR, score.value) for score in results]

    def test_the_stock_is_published_at_quiet_boundaries_too(self) -> None:
        clock, desk = self.clock(HOUR), Desk()
        for pane in (*desk.count(NOON + MINUTE, OPENED, 2), *desk.count(NOON + 5 * HOUR, SOLVED)):
            clock.apply(pane)
        self.mark(clock, NOON + 6 * HOUR + 5 * MINUTE)
        assert self.published(list(clock.due())) == [(1, 2.0), (2, 2.0), (3, 2.0), (4, 2.0), (5, 2.0), (6, 1.0)]
        self.mark(clock, NOON + 8 * HOUR)
        assert self.published(list(clock.finish())) == [(7, 1.0), (8, 1.0), (8, 1.0)]

    def test_events_read_beyond_a_due_boundary_do_not_change_it(self) -> None:
        clock, desk = self.clock(HOUR), Desk()
        for pane in desk.count(NOON + MINUTE, OPENED, 2):
            clock.apply(pane)
        self.mark(clock, NOON + HOUR + 5 * MINUTE)
        all_time, future = desk.count(NOON + 3 * HOUR, SOLVED)
        clock.apply(all_time)
        assert self.published(list(clock.due())) == [(1, 2.0)]
        clock.apply(future)
        self.mark(clock, NOON + 4 * HOUR + 5 * MINUTE)
        assert self.published(list(clock.due())) == [(2, 2.0), (3, 2.0), (4, 1.0)]

    def test_without_boundaries_the_result_at_the_end_has_the_final_stock(self) -> None:
        clock, desk = self.clock(0), Desk()
        for number in range(50):
            for pane in desk.count(NOON + number * HOUR, OPENED):
                clock.apply(pane)
            self.mark(clock, NOON + number * HOUR)
            assert list(clock.due()) == []
        [last] = clock.finish()
        assert (last.value, last.n, last.final) == (50.0, 1, True)
