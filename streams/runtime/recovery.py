"""Reads a partition from its start to its true end, outside any consumer group."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streams.errors import BrokerError
from streams.runtime.clock import monotonic
from streams.runtime.connection import connected
from streams.runtime.offsets import high_watermarks
from streams.runtime.progress_clock import ProgressClock

_STALLED_S = 60.0
_POLL_MS = 200
_MAX_RECORDS = 20_000


async def read_to_end(
    options: Mapping[str, Any], topic: str, partition: int
) -> AsyncGenerator[Sequence["ConsumerRecord[bytes, bytes]"], None]:
    """The committed records of a partition up to its present high watermark, chunk by chunk.

    Iterate under `contextlib.aclosing`, so that leaving early closes the connection at once.
    Raises `BrokerError` if the broker stops answering before the end.
    """
    tp = TopicPartition(topic, partition)
    end = (await high_watermarks(options, [tp], "read_committed"))[tp]
    consumer = AIOKafkaConsumer(
        **options,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=50,
        max_partition_fetch_bytes=8 << 20,
    )
    try:
        await connected(consumer.start())
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        position, progress = await consumer.position(tp), ProgressClock(monotonic)
        while position < end:
            fetched = await consumer.getmany(tp, timeout_ms=_POLL_MS, max_records=_MAX_RECORDS)
            for records in fetched.values():
                yield records
            position = await consumer.position(tp)
            progress.moved_to(position)
            if progress.still_s > _STALLED_S:
                raise BrokerError(
                    f"{topic}/{partition}: no record read for {_STALLED_S:g} s at {position} of {end}; "
                    "see the broker's log"
                )
    except KafkaError as error:
        raise BrokerError(f"{topic}/{partition}: cannot read it back: {error!r}; see `cxstream doctor`") from error
    finally:
        await consumer.stop()
