"""Chunks are delivered whole and in order, and none is left out around a rebalance."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import aiokafka
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from faust.types import TP

from streams.runtime.faust_app import BatchApp, batch_app
from streams.runtime.topics import create_topics
from streams.runtime.transport import MAX_CHUNK, BatchConsumer, BatchThread, ReadPosition, seek_each
from tests.support.brokers import MakeSettings

A, B = TP("cx.surveys.v1", 0), TP("cx.calls.v1", 0)


@dataclass(frozen=True)
class Record:
    offset: int
    timestamp: int = 1_000
    timestamp_type: int = 0


class ThreadWithPositions(BatchThread):
    """A thread that never runs; the test sets its positions."""

    fixed: Mapping[TP, int] = {}

    def positions(self) -> dict[TP, int]:
        return dict(self.fixed)

    async def seek_to_start(self, tp: TP) -> int:
        return cast(FedConsumer, self.consumer).deleted_up_to.pop(tp)


class FedConsumer(BatchConsumer):
    """A consumer that fetches what the test feeds it, and counts how often all partitions were sought."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fetches: list[dict[TP, list[Record]]] = []
        self.before_answer: Callable[[], None] = lambda: None
        self.seeks = 0
        self.lost = False
        self.deleted_up_to: dict[TP, int] = {}
        self._active_partitions = {A, B}

    def _new_consumer_thread(self) -> BatchThread:
        return ThreadWithPositions(self, loop=self.loop, beacon=self.beacon)

    async def _wait_next_records(self, timeout: float) -> Any:
        self.before_answer()
        if self.deleted_up_to:
            raise aiokafka.errors.OffsetOutOfRangeError({A: 7})
        return self.fetches.pop(0) if self.fetches else {}, self._get_active_partitions()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        if self.lost:
            raise aiokafka.errors.IllegalStateError("No partitions assigned")
        self.seeks += 1
        return {}


@pytest.fixture
async def app(make_settings: MakeSettings) -> BatchApp:
    return batch_app(make_settings(), "streams")


@pytest.fixture
async def consumer(app: BatchApp) -> AsyncIterator[FedConsumer]:
    async def nothing(*args: Any) -> None: ...

    app.consumer_generation_id = 1
    made = FedConsumer(app.transport, nothing, nothing, nothing)
    yield made
    made._thread.thread_loop.close()


def records(first: int, count: int) -> list[Record]:
    return [Record(offset) for offset in range(first, first + count)]


async def delivered(consumer: FedConsumer) -> list[tuple[str, int, int]]:
    """Topic, first and last offset of every message of one fetch."""
    chunks = [(tp, message.offset, cast(Any, message.value)) async for tp, message in consumer.getmany(1.0)]
    assert all(offset == chunk[-1].offset for _, offset, chunk in chunks)
    return [(tp.topic, chunk[0].offset, offset) for tp, offset, chunk in chunks]


async def test_a_fetched_chunk_is_one_message_and_a_long_one_several_in_order(consumer: FedConsumer) -> None:
    consumer.fetches = [{A: records(5, 2 * MAX_CHUNK + 1), B: records(0, 3)}]
    assert await delivered(consumer) == [
        (A.topic, 5, MAX_CHUNK + 4),
        (B.topic, 0, 2),
        (A.topic, MAX_CHUNK + 5, 2 * MAX_CHUNK + 4),
        (A.topic, 2 * MAX_CHUNK + 5, 2 * MAX_CHUNK + 5),
    ]


async def test_a_message_carries_the_generation_it_was_fetched_under(consumer: FedConsumer) -> None:
    consumer.fetches = [{A: records(0, 1)}]
    assert [message.generation_id async for _, message in consumer.getmany(1.0)] == [1]


async def test_gaps_between_offsets_hold_no_record_back(consumer: FedConsumer) -> None:
    consumer.fetches = [{A: [Record(3), Record(9)]}, {A: [Record(12)]}]
    assert await delivered(consumer) + await delivered(consumer) == [(A.topic, 3, 9), (A.topic, 12, 12)]


async def test_partitions_are_sought_once_and_not_at_every_fetch(consumer: FedConsumer) -> None:
    consumer.fetches = [{A: records(0, 1)}, {A: records(1, 1)}]
    await delivered(consumer)
    await delivered(consumer)
    assert consumer.seeks == 1


async def test_after_a_dropped_chunk_no_record_is_delivered_before_a_seek(consumer: FedConsumer) -> None:
    consumer.fetches = [{A: records(0, 10)}, {A: records(10, 10)}]
    consumer.before_answer = lambda: setattr(consumer, "_active_partitions", {B})
    assert await delivered(consumer) == []
    consumer.before_answer = lambda: setattr(consumer, "_active_partitions", {A, B})
    before = consumer.seeks
    await delivered(consumer)
    assert consumer.seeks == before + 1


async def test_a_buffered_partition_is_not_dropped(consumer: FedConsumer) -> None:
    consumer.fetches = [{A: records(0, 1)}]
    consumer._active_partitions, consumer._buffered_partitions = {B}, {A}
    assert await delivered(consumer) == [(A.topic, 0, 0)]


async def test_records_fetched_before_a_rebalance_are_not_delivered_after_it(
    consumer: FedConsumer, app: BatchApp
) -> None:
    consumer.fetches = [{A: records(0, 1)}, {A: records(1, 9)}, {A: records(1, 9)}]
    await delivered(consumer)
    consumer.before_answer = lambda: setattr(app, "consumer_generation_id", 2)
    assert await delivered(consumer) == []
    assert await delivered(consumer) == [(A.topic, 1, 9)]
    assert consumer.seeks == 2


@pytest.mark.parametrize("of_faust", ["stop_flow", "resume_flow"])
async def test_queues_that_were_cleared_are_filled_again_from_the_committed_offsets(
    consumer: FedConsumer, of_faust: str
) -> None:
    consumer.fetches = [{A: records(0, 1)}, {A: records(0, 2)}]
    await delivered(consumer)
    getattr(consumer, of_faust)()
    consumer.flow_active = True
    assert await delivered(consumer) == [(A.topic, 0, 1)]
    assert consumer.seeks == 2


async def test_without_an_assignment_to_seek_no_record_is_delivered(consumer: FedConsumer) -> None:
    consumer.lost = True
    consumer.fetches = [{A: records(7, 1)}, {A: records(0, 8)}]
    assert await delivered(consumer) == []
    consumer.lost = False
    assert await delivered(consumer) == [(A.topic, 0, 7)]


async def test_a_rebalance_in_the_middle_of_a_fetch_ends_it(consumer: FedConsumer) -> None:
    consumer.fetches = [{A: records(0, MAX_CHUNK + 1)}]
    offsets = []
    async for _, message in consumer.getmany(1.0):
        offsets.append(message.offset)
        consumer.stop_flow()
    assert offsets == [MAX_CHUNK - 1]


async def test_the_read_position_counts_markers_once_no_fetch_is_under_way(
    consumer: FedConsumer, app: BatchApp
) -> None:
    consumer.fetches = [{A: records(0, 3)}]
    ThreadWithPositions.fixed = {A: 4, B: 2}
    assert consumer.read_position(*A) is None
    async for _ in consumer.getmany(1.0):
        assert consumer.read_position(*B) is None
    assert consumer.read_position(*A) == ReadPosition(2, 4)
    assert consumer.read_position(*B) == ReadPosition(-1, 2)
    app.consumer_generation_id = 2
    assert consumer.read_position(*A) is None


async def test_the_app_is_notified_of_deleted_records_and_reading_goes_on_at_the_start_of_the_log(
    consumer: FedConsumer, app: BatchApp
) -> None:
    notified: list[tuple[TP, int, int]] = []
    app.on_records_deleted = lambda tp, position, start: notified.append((tp, position, start))
    consumer.deleted_up_to = {A: 12}
    consumer.fetches = [{A: records(12, 1)}]
    assert await delivered(consumer) == []
    assert notified == [(A, 7, 12)]
    assert await delivered(consumer) == [(A.topic, 12, 12)]


async def test_the_newest_acknowledged_chunk_is_committed_once(consumer: FedConsumer) -> None:
    consumer._acked[A] = [9, 19, 34]
    consumer._acked_index[A] = {9, 19, 34}
    assert (consumer._new_offset(A), consumer._new_offset(A), consumer._new_offset(B)) == (35, None, None)
    assert not consumer._acked_index[A]


async def test_a_partition_without_a_commit_is_sought_to_its_start(
    any_broker: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(any_broker, kafka={"partitions": 2})
    create_topics(settings)
    first, second = TopicPartition(A.topic, 0), TopicPartition(A.topic, 1)
    async with AIOKafkaProducer(bootstrap_servers=any_broker) as producer:
        for tp in (first, second):
            for number in range(5):
                await producer.send_and_wait(tp.topic, b"%d" % number, partition=tp.partition)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=any_broker, group_id=settings.app.id, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    async with consumer:
        consumer.assign([first, second])
        await consumer.commit({second: 2})
        for tp in (first, second):
            consumer.seek(tp, 5)
        assert await seek_each(consumer) == {TP(*first): None, TP(*second): 2}
        assert [await consumer.position(tp) for tp in (first, second)] == [0, 2]
