"""Sends the simulated company's messages to Kafka: first its past, as fast as it goes, then live, when they are due."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import islice
from typing import Any, Literal

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from streams.errors import BrokerError
from streams.runtime.connection import aiokafka_options, no_broker
from streams.settings import Settings
from streams.simulation.company import Company
from streams.simulation.delivery import Message

Phase = Literal["history", "live"]
Progress = Callable[[Phase, Mapping[str, int]], None]
DAY_MS = 86_400_000
_CHUNK = 2_000


async def feed(
    settings: Settings,
    company: Company,
    history_days: float,
    stop_event: asyncio.Event,
    rate: float | None = None,
    *,
    tick: float = 0.02,
    progress: Progress | None = None,
) -> Counter[str]:
    """Send the last `history_days`, then the live stream at `rate` events a second until `stop_event` is set.

    Keys are customers, partitions those of Kafka's default partitioner, record timestamps the time of sending.
    What becomes due within `tick` seconds is sent together: a longer one makes fewer and larger batches.
    Every send is awaited. Returns the messages sent to each topic; `progress` gets the phase and the counts so far.
    Raises `BrokerError` when the broker cannot be reached or refuses a record.
    """
    company = company if rate is None else replace(company, events_per_second=rate)
    people, now = company.population(), _now_ms()
    async with _producer(settings) as producer:
        sender = _Sender(producer, tick, progress)
        await sender.backfill(company.history(now - int(history_days * DAY_MS), now, people), stop_event)
        if not stop_event.is_set():
            await sender.follow(company.live(_now_ms(), people), stop_event)
    return sender.counts


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def _producer(settings: Settings) -> AsyncIterator[Any]:
    producer = AIOKafkaProducer(**aiokafka_options(settings), acks="all", linger_ms=5, max_batch_size=262_144)
    try:
        await producer.start()
        yield producer
    except KafkaConnectionError:
        raise no_broker(settings) from None
    except KafkaError as error:
        raise BrokerError(
            f"the broker at {settings.kafka.brokers} did not take the simulated events: {error!r}; "
            "see that the topics are there (`cxstream topics`) and that this user may write to them"
        ) from None
    finally:
        await producer.stop()


class _Sender:
    """Sends chunks, waits until each has landed, and counts."""

    def __init__(self, producer: Any, tick: float, progress: Progress | None) -> None:
        self._producer, self._tick, self._progress = producer, tick, progress
        self.counts: Counter[str] = Counter()

    async def backfill(self, messages: Iterator[Message], stop: asyncio.Event) -> None:
        """Send all of them, as fast as the broker takes them."""
        while not stop.is_set() and (chunk := list(islice(messages, _CHUNK))):
            await self._send(chunk, "history")

    async def follow(self, messages: Iterator[Message], stop: asyncio.Event) -> None:
        """Send each when it is due, until stopped."""
        upcoming = await asyncio.to_thread(next, messages)  # the first one takes a second: stories already under way
        while not stop.is_set():
            chunk: list[Message] = []
            now = _now_ms()
            while upcoming.time_ms <= now and len(chunk) < _CHUNK:
                chunk.append(upcoming)
                upcoming = next(messages)
            await self._send(chunk, "live")
            await _pause(stop, max(self._tick, (upcoming.time_ms - _now_ms()) / 1000))

    async def _send(self, chunk: list[Message], phase: Phase) -> None:
        send = self._producer.send
        await asyncio.gather(*[await send(m.topic, m.value, key=m.key) for m in chunk])
        self.counts.update(m.topic for m in chunk)
        if self._progress:
            self._progress(phase, self.counts)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, unless stopped."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
