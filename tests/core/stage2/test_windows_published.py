"""A live window is published again whenever a published value of it has changed."""

from schemas.pane import Pane
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Accumulator
from streams.core.scores.speed_of_answer import SpeedOfAnswer
from streams.core.stage2.windows import Windows
from streams.core.time.instants import to_datetime
from tests.support.stream import new_windows, settings_with

START = 1_700_000_000_000
WINDOW = settings_with(windows={"lengths": ["60s"], "cuts": ["total"]})


def waits(*seconds: int) -> Accumulator:
    score, acc = SpeedOfAnswer(), SpeedOfAnswer().zero()
    for wait in seconds:
        fields: RecordFields = (1, 0, 0, 1000 * wait, -1, -1, -1, 0)
        score.add(acc, score.slots(fields))
    return acc


def pane(version: int, counts: Accumulator) -> Pane:
    return Pane(
        cut="total",
        cell="all",
        resolution=10,
        start=to_datetime(START),
        topic="cx.calls.v1",
        partition=0,
        version=version,
        last={"speed_of_answer": to_datetime(START)},
        counts={"speed_of_answer": counts},
    )


def opened(counts: Accumulator) -> Windows:
    windows = new_windows(WINDOW)
    windows.slide(10, START + 60_000)
    assert windows.apply(pane(1, counts))
    return windows


SAME_SUMS = (waits(1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 9), waits(1, 1, 4, 4, 5, 5, 6, 7, 8, 9, 9))


def test_a_result_is_published_if_only_its_interval_changes() -> None:
    before, after = SAME_SUMS
    windows = opened(before)
    [first] = windows.changed_results()
    assert windows.apply(pane(2, after))
    [second] = windows.changed_results()
    assert (first.value, first.n, first.counts) == (second.value, second.n, second.counts)
    assert (first.lower, first.upper) != (second.lower, second.upper)


def test_an_equal_result_is_not_published_again_even_after_a_restart() -> None:
    windows = opened(SAME_SUMS[0])
    [published] = windows.changed_results()
    successor = new_windows(WINDOW)
    successor.restore(published)
    successor.slide(10, START + 60_000)
    assert successor.apply(pane(1, SAME_SUMS[0]))
    assert successor.changed_results() == []
