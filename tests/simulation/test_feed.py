"""The messages of the simulated company reach the topics complete, keyed, with the time of sending, until a stop."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.catalogue import SOURCE_TOPICS
from streams.core.stage1.partitioner import partition_of
from streams.errors import BrokerError
from streams.local.embedded_broker import EmbeddedBroker
from streams.runtime.connection import aiokafka_options
from streams.runtime.offsets import high_watermarks
from streams.runtime.topics import create_topics
from streams.settings import Settings
from streams.simulation import Company, Incident
from streams.simulation.feed import Phase, feed

DEADLINE = 60
NAMES = [topic.name for topic in SOURCE_TOPICS]


async def received(settings: Settings, count: int) -> list[tuple[str, int, bytes, bytes, int]]:
    """Exactly what lies in the source topics, once it is as many as expected."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka.brokers, auto_offset_reset="earliest")
    partitions = [TopicPartition(name, p) for name in NAMES for p in range(settings.kafka.partitions)]
    consumer.assign(partitions)
    ends = await high_watermarks(aiokafka_options(settings), partitions, "read_uncommitted")
    assert sum(ends.values()) == count
    await consumer.start()
    found: list[tuple[str, int, bytes, bytes, int]] = []
    try:
        async with asyncio.timeout(DEADLINE):
            while len(found) < count:
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    found += [(r.topic, r.partition, r.key, r.value, r.timestamp) for r in batch]
    finally:
        await consumer.stop()
    return found


class StopAfter:
    """Stops the feed once the live phase has sent this many messages, and records the phases."""

    def __init__(self, stop: asyncio.Event, live: int) -> None:
        self._stop, self._live = stop, live
        self.phases: list[Phase] = []
        self.history = 0

    def __call__(self, phase: Phase, counts: Mapping[str, int]) -> None:
        self.phases.append(phase)
        sent = sum(counts.values())
        if phase == "history":
            self.history = sent
        elif sent - self.history >= self._live:
            self._stop.set()


async def test_history_then_live_reach_the_topics_complete(
    fresh_broker: EmbeddedBroker, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(fresh_broker.address)
    create_topics(settings)
    company, stop, began = (
        Company(customers=300, incident=Incident(offset_s=0.5, length_s=1)),
        asyncio.Event(),
        time.time(),
    )
    progress = StopAfter(stop, live=600)
    async with asyncio.timeout(DEADLINE):
        counts = await feed(settings, company, 2, stop, 400, progress=progress)
    assert progress.phases == sorted(progress.phases)
    assert progress.history > 3_000
    assert time.time() - began > 600 / 400 * 0.5

    found = await received(settings, counts.total())
    assert Counter(topic for topic, *_ in found) == counts
    assert set(counts) == set(NAMES)
    assert all(partition == partition_of(key, settings.kafka.partitions) for _, partition, key, _, _ in found)
    assert all(began * 1000 - 1_000 <= stamp <= time.time() * 1000 for *_, stamp in found)


async def test_a_feed_stopped_before_it_begins_sends_nothing(
    fresh_broker: EmbeddedBroker, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(fresh_broker.address)
    create_topics(settings)
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(DEADLINE):
        assert not await feed(settings, Company(customers=50), 1, stop)


@pytest.mark.io
async def test_an_absent_broker_is_one_line_that_names_it(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings("127.0.0.1:1")
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1"):
            await feed(settings, Company(customers=50), 1, asyncio.Event())
