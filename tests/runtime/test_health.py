"""A worker is unhealthy if input waits and nothing moves, and not ready while it reads the state of a partition."""

import asyncio
from typing import Any, cast

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from schemas.catalogue import PANES
from streams.runtime.faust_app import BatchApp
from streams.runtime.health import StreamsHealth, high_watermarks
from streams.runtime.partitions import Partitions
from streams.runtime.telemetry import Telemetry
from tests.reference.contracts import SURVEYS
from tests.runtime.test_partitions import RecordingRunner, rest
from tests.runtime.test_telemetry import Clock, OwnedCells

MINE = TP(PANES.name, 0)


class SlowOpening:
    """Opens runners when the test sets `may_open`."""

    def __init__(self) -> None:
        self.may_open = asyncio.Event()

    async def open(self, partition: int, on_fatal: object) -> RecordingRunner:
        await self.may_open.wait()
        return RecordingRunner(partition)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def telemetry(clock: Clock) -> Telemetry:
    made = Telemetry(CollectorRegistry(), clock.now_s, clock.now_ms)
    made.own_stage2(0, OwnedCells())
    return made


@pytest.fixture
async def opening() -> SlowOpening:
    return SlowOpening()


@pytest.fixture
async def stages(opening: SlowOpening) -> tuple[Partitions[Any], Partitions[Any]]:
    return Partitions([SURVEYS], opening.open, print), Partitions([PANES.name], opening.open, print)


@pytest.fixture
async def health(telemetry: Telemetry, stages: tuple[Partitions[Any], Partitions[Any]]) -> StreamsHealth:
    return StreamsHealth(telemetry, *stages, limit_s=60.0)


async def test_a_worker_without_input_is_healthy(health: StreamsHealth, clock: Clock) -> None:
    clock.seconds = 3_600
    assert health.unhealthy() is None


async def test_a_stall_names_stage_and_partition(health: StreamsHealth, telemetry: Telemetry, clock: Clock) -> None:
    telemetry.high_watermarks = lambda: {MINE: 99}
    clock.seconds = 61
    assert health.unhealthy() == "stage 2 of partition 0: input waits and nothing has moved for 60 s"


async def test_a_worker_is_ready_once_the_state_of_its_partitions_is_read(
    health: StreamsHealth, stages: tuple[Partitions[Any], Partitions[Any]], opening: SlowOpening
) -> None:
    stage1, stage2 = stages
    assert health.unready() == "no partitions assigned"
    for stage in stages:
        await stage.assigned({TP(SURVEYS, 1), MINE})
    assert health.unready() == "reading the state of partitions [0, 1]"
    opening.may_open.set()
    await rest(lambda: stage1.running and stage2.running)
    assert health.unready() is None


class StartedApp:
    """An app whose consumer knows where two logs end."""

    started = True

    class consumer:
        @staticmethod
        def ends() -> dict[TP, int]:
            return {TP("test.cx.panes.v1", 0): 12, TP("another", 0): 3}


def test_high_watermarks_are_named_as_in_the_catalogue_and_leave_out_other_topics() -> None:
    app = cast(BatchApp, StartedApp())
    assert high_watermarks(app, {"test.cx.panes.v1": PANES.name}) == {MINE: 12}


def test_before_the_app_has_started_there_are_none() -> None:
    class NewApp:
        started = False

    class Consumerless(NewApp):
        consumer = None

    assert high_watermarks(cast(BatchApp, Consumerless()), {PANES.name: PANES.name}) == {}
