"""Windows make progress when the results of new partials are published, and only then."""

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from schemas.catalogue import PANES
from streams.app import definition
from streams.runtime.publishing import Publisher
from streams.runtime.stage2_runner import Stage2Runner
from streams.runtime.telemetry import Telemetry
from tests.runtime.test_telemetry import Clock
from tests.support.stream import Record, settings_with

SETTINGS = settings_with(kafka={"partitions": 1})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def runner(clock: Clock) -> Stage2Runner:
    """The owner of a partition that ends at offset 10."""
    telemetry, failures = Telemetry(CollectorRegistry(), clock.now_s, clock.now_ms), list[BaseException]()
    made = Stage2Runner(
        0,
        definition(SETTINGS),
        SETTINGS,
        {},
        Publisher(SETTINGS),
        telemetry,
        transactional=False,
        on_fatal=failures.append,
    )
    telemetry.high_watermarks = lambda: {TP(PANES.name, 0): 10}
    telemetry.own_stage2(0, made)
    return made


async def test_publishing_without_new_partials_is_no_progress(runner: Stage2Runner, clock: Clock) -> None:
    clock.seconds = 61
    await runner._publish(())
    assert runner._telemetry.stalled(60.0) == [(2, 0)]
    runner._apply(Record(8, 0, None, None))
    await runner._publish(())
    assert (runner.published_offset, runner.published_partials, runner._telemetry.stalled(60.0)) == (8, 1, [])


async def test_markers_behind_the_last_partial_count_as_published_once_the_partial_is(runner: Stage2Runner) -> None:
    runner._apply(Record(8, 0, None, None))
    runner.advance_past_gap(8, 10)
    assert runner.published_offset == -1
    await runner._publish(())
    runner.advance_past_gap(9, 10)
    assert runner.published_offset == 8
    runner.advance_past_gap(8, 10)
    assert runner.published_offset == 9
    assert runner._telemetry.lag() == {(PANES.name, 0): 0}
