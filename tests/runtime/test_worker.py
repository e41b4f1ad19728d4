"""The worker hands chunks and notices to the runner of their partition, under the topic's name in the catalogue."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from faust.types import TP

from schemas.catalogue import REKEYED
from streams.app import definition
from streams.runtime.worker import StreamsWorker
from streams.settings import Settings
from tests.reference.contracts import SURVEYS
from tests.runtime.test_partitions import rest
from tests.support.stream import Record, settings_with

SETTINGS = settings_with(kafka={"partitions": 1, "prefix": "test."}, metrics={"streams_port": 0})


class RecordingRunner:
    """The runner of a source partition, which records its calls."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[int]]] = []
        self.deleted: list[tuple[str, int, int]] = []

    async def take(self, topic: str, event: Any) -> None:
        self.taken.append((topic, [record.offset for record in event.value]))

    def on_records_deleted(self, topic: str, position: int, start: int) -> None:
        self.deleted.append((topic, position, start))


@dataclass
class Message:
    partition: int = 0
    generation_id: int = 1


@dataclass
class Event:
    """A chunk as it reaches an agent."""

    value: list[Record]
    message: Message = field(default_factory=Message)


def chunk(*offsets: int) -> Event:
    return Event([Record(offset, 0, None, None) for offset in offsets])


async def worker_with(runner: RecordingRunner, settings: Settings = SETTINGS, **kwargs: Any) -> StreamsWorker:
    """A worker that owns partition 0 and was not started."""

    async def opened(partition: int, on_fatal: object) -> Any:
        return runner

    worker = StreamsWorker(settings, definition(settings), **kwargs)
    worker.app.consumer_generation_id = 1
    worker.stage1._open = opened
    worker.stage2._open = opened
    await worker.stage1.assigned({TP(SURVEYS, 0)})
    await worker.stage1.get(0)
    return worker


@pytest.fixture
async def runner() -> RecordingRunner:
    return RecordingRunner()


@pytest.mark.parametrize("topic", [SURVEYS, REKEYED.name])
async def test_deleted_records_are_reported_under_the_name_of_the_catalogue(
    runner: RecordingRunner, topic: str
) -> None:
    worker = await worker_with(runner)
    worker._on_records_deleted(TP(SETTINGS.topic(topic), 0), 7, 12)
    assert runner.deleted == [(topic, 7, 12)]


async def test_deleted_records_of_a_partition_that_is_not_open_are_left_to_its_opening(
    runner: RecordingRunner,
) -> None:
    worker = await worker_with(runner)
    worker._on_records_deleted(TP(SURVEYS, 1), 7, 12)
    assert runner.deleted == []


async def test_a_chunk_that_was_fetched_before_a_rebalance_is_dropped(runner: RecordingRunner) -> None:
    worker = await worker_with(runner)
    await worker._take_events(SURVEYS, chunk(0, 1))
    worker.app.consumer_generation_id = 2
    await worker._take_events(SURVEYS, chunk(2))
    assert runner.taken == [(SURVEYS, [0, 1])]


async def test_a_replay_takes_the_records_before_its_end_and_all_rekeyed_ones(runner: RecordingRunner) -> None:
    worker = await worker_with(runner, ends={(SURVEYS, 0): 2})
    await worker._take_events(SURVEYS, chunk(0, 1, 2))
    await worker._take_events(SURVEYS, chunk(2, 3))
    await worker._take_events(REKEYED.name, chunk(9))
    assert runner.taken == [(SURVEYS, [0, 1]), (REKEYED.name, [9])]


async def test_an_error_of_a_runner_that_cannot_be_opened_reaches_the_worker() -> None:
    errors: list[BaseException] = []
    failure = OSError("no broker")

    async def failing(partition: int, on_fatal: object) -> Any:
        raise failure

    worker = StreamsWorker(SETTINGS, definition(SETTINGS), on_fatal=errors.append)
    worker.stage1._open = failing
    await worker.stage1.assigned({TP(SURVEYS, 0)})
    await rest(lambda: errors)
    assert errors == [failure]
