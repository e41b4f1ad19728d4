"""Standing still counts only while input waits, and another position than before is progress."""

import pytest

from streams.runtime.progress_clock import ProgressClock


class ManualTime:
    """A monotonic clock that the test moves."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def time() -> ManualTime:
    return ManualTime()


@pytest.fixture
def clock(time: ManualTime) -> ProgressClock:
    return ProgressClock(time)


def test_a_new_clock_has_just_moved(clock: ProgressClock) -> None:
    assert clock.still_s == 0.0


def test_progress_restarts_it(time: ManualTime, clock: ProgressClock) -> None:
    time.now_s += 61
    assert clock.still_s == 61.0
    clock.moved()
    time.now_s += 2
    assert clock.still_s == 2.0


def test_waiting_input_does_not_restart_it_and_absent_input_does(time: ManualTime, clock: ProgressClock) -> None:
    time.now_s += 10
    clock.watch(input_waits=True)
    assert clock.still_s == 10.0
    clock.watch(input_waits=False)
    assert clock.still_s == 0.0


def test_after_a_long_rest_the_first_input_is_no_stall(time: ManualTime, clock: ProgressClock) -> None:
    time.now_s += 3_600
    clock.watch(input_waits=False)
    time.now_s += 1
    clock.watch(input_waits=True)
    assert clock.still_s == 1.0


def test_only_another_position_is_progress(time: ManualTime, clock: ProgressClock) -> None:
    clock.moved_to(7)
    time.now_s += 5
    clock.moved_to(7)
    assert clock.still_s == 5.0
    clock.moved_to(8)
    assert clock.still_s == 0.0


@pytest.mark.parametrize("position", [0, -1])
def test_the_first_position_is_progress(time: ManualTime, clock: ProgressClock, position: int) -> None:
    time.now_s += 5
    clock.moved_to(position)
    assert clock.still_s == 0.0
