"""Sends prepared events to their topic, in order, and knows of each that the broker has it."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from streams.errors import BrokerError
from streams.importing.sort import Entry
from streams.runtime.connection import aiokafka_options, no_broker, transactions_supported
from streams.runtime.topics import admin
from streams.settings import Settings

CHUNK = 2_000
_BATCH_BYTES = 256 * 1024


async def send(entries: Iterable[Entry], topic: str, settings: Settings, sent: Callable[[int], None]) -> int:
    """Send all entries with acks=all, idempotently where the broker can; returns how many it has.

    Keys go to partitions by Kafka's default partitioner. `sent` is told the running number. Records
    carry the time of sending, not that of the event: a retention in days would else delete a replay
    at once. Raises `BrokerError`.
    """
    await asyncio.to_thread(_require, topic, settings)
    producer = AIOKafkaProducer(
        **aiokafka_options(settings),
        acks="all",
        max_batch_size=_BATCH_BYTES,
        linger_ms=5,
        enable_idempotence=await transactions_supported(settings),
    )
    try:
        await producer.start()
        return await _send_all(producer, entries, topic, sent)
    except KafkaConnectionError:
        raise no_broker(settings) from None
    except KafkaError as error:
        raise BrokerError(
            f"{topic}: the broker at {settings.kafka.brokers} did not take every event "
            f"({type(error).__name__}: {error}); mend it and import again, "
            "nothing counts twice"
        ) from None
    finally:
        with suppress(KafkaError):
            await producer.stop()


async def _send_all(
    producer: AIOKafkaProducer, entries: Iterable[Entry], topic: str, sent: Callable[[int], None]
) -> int:
    count, waiting = 0, list[asyncio.Future[object]]()
    for chunk in _chunks(iter(entries)):
        futures = [await producer.send(topic, entry.payload, key=entry.key) for entry in chunk]
        await asyncio.gather(*waiting)
        count += len(waiting)
        sent(count)
        waiting = futures
    await asyncio.gather(*waiting)
    count += len(waiting)
    sent(count)
    return count


def _chunks(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while chunk := list(islice(entries, CHUNK)):
        yield chunk


def _require(topic: str, settings: Settings) -> None:
    with admin(settings) as client:
        there = client.list_topics()
    if topic not in there:
        raise BrokerError(f"the broker at {settings.kafka.brokers} lacks {topic}: create with `cxstream topics`")
