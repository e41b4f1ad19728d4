"""Sends prepared events to their topic, in order, and confirms each of them with the broker."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from streams.errors import BrokerError
from streams.importing.sort import SpooledEvent
from streams.runtime.connection import aiokafka_options, no_broker, transactions_supported
from streams.runtime.topics import admin
from streams.settings import Settings

_GROUP_EVENTS = 2_000
"""Events that are confirmed together; at most two groups are in flight."""
_BATCH_BYTES = 256 * 1024


async def send(events: Iterable[SpooledEvent], topic: str, settings: Settings, report: Callable[[int], None]) -> int:
    """Send all events with acks=all, idempotently where the broker can; returns how many the broker has.

    Keys go to partitions by Kafka's default partitioner. `report` is called with the number of events
    confirmed so far. The timestamp of a record is the time of sending, not that of the event: with the
    event's time, a topic with a retention of days would delete an old event at once. Raises `BrokerError`.
    """
    await asyncio.to_thread(_require_topic, topic, settings)
    producer = AIOKafkaProducer(
        **aiokafka_options(settings),
        acks="all",
        max_batch_size=_BATCH_BYTES,
        linger_ms=5,
        enable_idempotence=await transactions_supported(settings),
    )
    try:
        await producer.start()
        return await _send_all(producer, events, topic, report)
    except KafkaConnectionError:
        raise no_broker(settings) from None
    except KafkaError as error:
        raise BrokerError(
            f"{topic}: the broker at {settings.kafka.brokers} did not take every event "
            f"({type(error).__name__}: {error}); repair it and import again, no event counts twice"
        ) from None
    finally:
        with suppress(KafkaError):
            await producer.stop()


async def _send_all(
    producer: AIOKafkaProducer, events: Iterable[SpooledEvent], topic: str, report: Callable[[int], None]
) -> int:
    confirmed, unconfirmed = 0, list[asyncio.Future[object]]()
    for group in _groups(iter(events)):
        futures = [await producer.send(topic, event.payload, key=event.key) for event in group]
        await asyncio.gather(*unconfirmed)
        confirmed += len(unconfirmed)
        report(confirmed)
        unconfirmed = futures
    await asyncio.gather(*unconfirmed)
    confirmed += len(unconfirmed)
    report(confirmed)
    return confirmed


def _groups(events: Iterator[SpooledEvent]) -> Iterator[list[SpooledEvent]]:
    while group := list(islice(events, _GROUP_EVENTS)):
        yield group


def _require_topic(topic: str, settings: Settings) -> None:
    with admin(settings) as client:
        topics = client.list_topics()
    if topic not in topics:
        raise BrokerError(f"the broker at {settings.kafka.brokers} lacks {topic}: create with `cxstream topics`")
