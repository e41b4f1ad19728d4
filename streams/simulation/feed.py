"""Sends the simulated company's messages to Kafka: its past at full speed, then each live message when it is due."""

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
    events_per_second: float | None = None,
    *,
    tick_s: float = 0.02,
    progress: Progress | None = None,
) -> Counter[str]:
    """Send the last `history_days`, then the live stream until `stop_event` is set.

    Keys are customers, partitions those of Kafka's default partitioner, record timestamps the time of sending.
    `events_per_second` overrides that of the company. Messages due within `tick_s` are sent together, so a longer
    tick makes fewer and larger batches. Every send is awaited. Returns the number of messages sent to each topic;
    `progress` receives the phase and the numbers so far. Raises `BrokerError` when the broker cannot be reached or
    refuses a record.
    """
    company = company if events_per_second is None else replace(company, events_per_second=events_per_second)
    people, now = company.population(), _now_ms()
    async with _producer(settings) as producer:
        sender = _Sender(producer, tick_s, progress)
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
    """Sends chunks, waits until the broker has each, and counts."""

    def __init__(self, producer: Any, tick_s: float, progress: Progress | None) -> None:
        self._producer, self._tick_s, self._progress = producer, tick_s, progress
        self.counts: Counter[str] = Counter()

    async def backfill(self, messages: Iterator[Message], stop: asyncio.Event) -> None:
        """Send all messages, as fast as the broker takes them."""
        while not stop.is_set() and (chunk := list(islice(messages, _CHUNK))):
            await self._send(chunk, "history")

    async def follow(self, messages: Iterator[Message], stop: asyncio.Event) -> None:
        """Send each message when it is due, until stopped."""
        upcoming = await asyncio.to_thread(next, messages)  # takes a second: it computes the stories already under way
        while not stop.is_set():
            chunk: list[Message] = []
            now = _now_ms()
            while upcoming.time_ms <= now and len(chunk) < _CHUNK:
                chunk.append(upcoming)
                upcoming = next(messages)
            await self._send(chunk, "live")
            await _pause(stop, max(self._tick_s, (upcoming.time_ms - _now_ms()) / 1000))

    async def _send(self, chunk: list[Message], phase: Phase) -> None:
        send = self._producer.send
        await asyncio.gather(*[await send(m.topic, m.value, key=m.key) for m in chunk])
        self.counts.update(m.topic for m in chunk)
        if self._progress:
            self._progress(phase, self.counts)


async def _pause(stop: asyncio.Event, duration_s: float) -> None:
    """Wait until stopped, at most `duration_s`."""
    try:
        await asyncio.wait_for(stop.wait(), duration_s)
    except TimeoutError:
        return
