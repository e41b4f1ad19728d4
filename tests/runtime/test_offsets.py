"""The true start and end of a partition, on every broker and after everything that happens to a log."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import kafka
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from streams.errors import BrokerError
from streams.runtime.offsets import Isolation, OffsetReader, OffsetsByPartition, high_watermarks
from tests.support.apache_kafka import KafkaCluster

TOPIC = "log"
P0, P1, P2 = (TopicPartition(TOPIC, n) for n in range(3))
WITHIN = 20.0


def options(address: str) -> dict[str, Any]:
    return {"bootstrap_servers": address.split(",")}


def create(address: str, topic: str = TOPIC, replication: int = 1, **configs: str) -> None:
    with KafkaAdminClient(bootstrap_servers=address.split(",")) as client:
        named = {name.replace("_", "."): value for name, value in configs.items()}
        client.create_topics(
            {topic: {"num_partitions": 3, "replication_factor": replication, "configs": named}}, wait_for_metadata=True
        )


@asynccontextmanager
async def producing(address: str, transactional_id: str | None = None) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(**options(address), acks="all", transactional_id=transactional_id)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def send_batch(producer: AIOKafkaProducer, records: int, partition: TopicPartition = P0) -> None:
    batch = producer.create_batch()
    for number in range(records):
        assert batch.append(key=b"k", value=b"%d" % number, timestamp=None)
    await (await producer.send_batch(batch, partition.topic, partition=partition.partition))


async def end(address: str, partition: TopicPartition = P0, isolation: Isolation = "read_committed") -> int:
    return (await high_watermarks(options(address), [partition], isolation))[partition]


async def starts(address: str, *partitions: TopicPartition) -> OffsetsByPartition:
    async with OffsetReader(options(address)) as reader:
        return await reader.starts(partitions)


async def read_to(address: str, partition: TopicPartition, offset: int, isolation: Isolation) -> int:
    """How many records a reader gets until it stands at `offset`; fails when it never does."""
    consumer = AIOKafkaConsumer(
        **options(address),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level=isolation,
        fetch_max_wait_ms=50,
    )
    consumer.assign([partition])
    await consumer.start()
    try:
        count, deadline = 0, time.monotonic() + WITHIN
        while (position := await consumer.position(partition)) < offset:
            assert time.monotonic() < deadline, f"the reader stands at {position}, the end is {offset}"
            count += sum(map(len, (await consumer.getmany(timeout_ms=100)).values()))
        assert position == offset
        return count
    finally:
        await consumer.stop()


async def test_the_end_counts_every_record_of_a_batch(any_broker: str) -> None:
    create(any_broker)
    async with producing(any_broker) as producer:
        await send_batch(producer, 10)
        await send_batch(producer, 5)
    assert await end(any_broker, isolation="read_committed") == 15
    assert await end(any_broker, isolation="read_uncommitted") == 15
    assert await read_to(any_broker, P0, 15, "read_committed") == 15


async def test_an_empty_partition_ends_where_it_starts(any_broker: str) -> None:
    create(any_broker)
    assert await high_watermarks(options(any_broker), [P0, P1, P2], "read_committed") == {P0: 0, P1: 0, P2: 0}
    assert await starts(any_broker, P0, P1, P2) == {P0: 0, P1: 0, P2: 0}


async def test_full_and_empty_partitions_of_several_topics_answer_together(any_broker: str) -> None:
    create(any_broker)
    create(any_broker, "other")
    other = TopicPartition("other", 1)
    async with producing(any_broker) as producer:
        await producer.send_and_wait(TOPIC, b"x" * 900_000, partition=0)
        await send_batch(producer, 7, P2)
        await send_batch(producer, 3, other)
    asked = [TopicPartition(topic, n) for topic in (TOPIC, "other") for n in range(3)]
    ends = await high_watermarks(options(any_broker), asked, "read_committed")
    assert ends == dict.fromkeys(asked, 0) | {P0: 1, P2: 7, other: 3}


async def test_one_reader_follows_a_growing_log(any_broker: str) -> None:
    create(any_broker)
    async with producing(any_broker) as producer, OffsetReader(options(any_broker)) as reader:
        for sent in range(1, 20):
            await send_batch(producer, 10)
            assert await reader.ends([P0], "read_committed") == {P0: sent * 10}


async def test_no_partitions_give_no_offsets(any_broker: str) -> None:
    assert await high_watermarks(options(any_broker), [], "read_committed") == {}


async def test_trailing_transaction_markers_belong_to_the_log(fresh_kafka: KafkaCluster) -> None:
    address = fresh_kafka.address
    create(address)
    async with producing(address, "one") as producer:
        await producer.begin_transaction()
        await send_batch(producer, 4)
        await producer.commit_transaction()
        await producer.begin_transaction()
        await send_batch(producer, 3)
        await producer.abort_transaction()
    async with producing(address, "one"):  # opening waits until the markers are written
        assert await end(address) == 4 + 1 + 3 + 1
        assert await read_to(address, P0, 9, "read_committed") == 4


async def test_an_open_transaction_ends_the_committed_log_and_not_the_uncommitted(fresh_kafka: KafkaCluster) -> None:
    address = fresh_kafka.address
    create(address)
    async with producing(address) as plain, producing(address, "open") as producer:
        await send_batch(plain, 2)
        await producer.begin_transaction()
        await send_batch(producer, 5)
        await send_batch(plain, 1)
        assert await end(address, isolation="read_committed") == 2
        assert await end(address, isolation="read_uncommitted") == 8
        assert await read_to(address, P0, 2, "read_committed") == 2
        await producer.abort_transaction()


async def test_a_new_owner_sees_all_its_predecessor_committed(fresh_kafka: KafkaCluster) -> None:
    address = fresh_kafka.address
    create(address)
    for round_ in range(1, 16):
        async with producing(address, "owner") as former:
            await former.begin_transaction()
            await send_batch(former, 10)
            await former.commit_transaction()
            async with producing(address, "owner"):
                assert await end(address) == round_ * 11


async def test_a_new_owner_ends_the_transaction_its_predecessor_left_open(fresh_kafka: KafkaCluster) -> None:
    address = fresh_kafka.address
    create(address)
    async with producing(address, "owner") as former:
        await former.begin_transaction()
        await send_batch(former, 10)
        async with producing(address, "owner"):
            assert await end(address) == 11
            assert await read_to(address, P0, 11, "read_committed") == 0


async def test_deleted_records_move_the_start_and_leave_the_end(fresh_kafka: KafkaCluster) -> None:
    address = fresh_kafka.address
    create(address)
    async with producing(address) as producer:
        await send_batch(producer, 10)
        await send_batch(producer, 5)
    for start in (12, 15):
        with KafkaAdminClient(bootstrap_servers=address) as client:
            client.delete_records({kafka.TopicPartition(TOPIC, 0): start})
        assert await starts(address, P0) == {P0: start}
        assert await end(address) == 15


async def test_compaction_changes_neither_the_end_nor_whether_a_reader_reaches_it(fresh_kafka: KafkaCluster) -> None:
    address = fresh_kafka.address
    create(
        address, cleanup_policy="compact", segment_ms="100", min_cleanable_dirty_ratio="0.01", delete_retention_ms="0"
    )
    async with producing(address, "owner") as producer:
        sent, kept, deadline = 0, 1, time.monotonic() + 60
        while kept >= sent:
            assert time.monotonic() < deadline, f"{kept} of {sent} records are still there: nothing was compacted"
            await producer.begin_transaction()
            await send_batch(producer, 50)
            await producer.commit_transaction()
            sent += 50
            await asyncio.sleep(0.2)
            last = await end(address)
            kept = await read_to(address, P0, last, "read_committed")
        assert last >= sent


@pytest.mark.io
async def test_no_broker_is_named() -> None:
    with pytest.raises(BrokerError, match=r"no broker at 127\.0\.0\.1:1: start it or set kafka\.brokers"):
        await end("127.0.0.1:1")


@pytest.mark.io
async def test_a_broker_that_accepts_and_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(BrokerError, match=f"no broker at {address}"):
            await high_watermarks(options(address), [P0], "read_committed", within_s=0.5)
        assert time.monotonic() - started < 5


async def test_a_missing_partition_is_named_at_the_deadline(fresh_kafka: KafkaCluster) -> None:
    create(fresh_kafka.address)
    absent = TopicPartition("absent", 0)
    with pytest.raises(BrokerError, match=r"the end of absent/0 within 1 s .*does not exist.*cxstream doctor"):
        await high_watermarks(options(fresh_kafka.address), [P0, absent], "read_committed", within_s=1)


@pytest.mark.faults
async def test_a_frozen_broker_is_given_up_at_the_deadline(fresh_kafka: KafkaCluster) -> None:
    create(fresh_kafka.address)
    async with OffsetReader(options(fresh_kafka.address), within_s=1) as reader:
        assert await reader.ends([P0], "read_committed") == {P0: 0}
        fresh_kafka.pause(0)
        try:
            with pytest.raises(BrokerError, match="the end of log/0 within 1 s"):
                await reader.ends([P0], "read_committed")
        finally:
            fresh_kafka.resume(0)


@pytest.mark.faults
@pytest.mark.slow
async def test_the_end_survives_the_loss_of_a_node(kafka3: KafkaCluster) -> None:
    address = kafka3.address
    create(address, replication=3)
    async with producing(address) as producer:
        for partition in (P0, P1, P2):
            await send_batch(producer, 10, partition)
    async with OffsetReader(options(address), within_s=60) as reader:
        before = await reader.ends([P0, P1, P2], "read_committed")
        kafka3.kill(0)
        try:
            assert await reader.ends([P0, P1, P2], "read_committed") == before == {P0: 10, P1: 10, P2: 10}
        finally:
            kafka3.start_node(0)
            kafka3.wait_ready(3)
