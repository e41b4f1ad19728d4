"""How far a replay reads: the first and the last record of each source partition when it begins."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.catalogue import SOURCE_TOPICS
from streams.core.stage2.cell_state import SourcePartition
from streams.errors import BrokerError
from streams.runtime.clock import monotonic
from streams.runtime.connection import aiokafka_options, connected
from streams.runtime.offsets import OffsetReader
from streams.runtime.opening import Ends
from streams.settings import Settings

_READ_S = 60.0
"""How long reading the end of one partition may take."""

_FETCH_MS = 200
_LOOK_BACK, _LOOK_BACK_FACTOR = 2, 32
"""How many offsets before the end are searched for a record at first, and how many times more at each next try."""


@dataclass(frozen=True)
class ReplayExtent:
    """The first offset of each source partition that has records, and the offset after its last record."""

    firsts: Mapping[SourcePartition, int]
    ends: Ends

    @property
    def records(self) -> int:
        """The number of offsets in between: the number of records, apart from gaps."""
        return sum(end - self.firsts[source] for source, end in self.ends.items())


async def extent_of(settings: Settings) -> ReplayExtent:
    """The extent of the source topics as of now. Raises `BrokerError`."""
    options = aiokafka_options(settings)
    tps = [TopicPartition(topic.name, p) for topic in SOURCE_TOPICS for p in range(settings.kafka.partitions)]
    async with OffsetReader(options) as offsets:
        starts = await offsets.starts(tps)
    lasts = await last_records(options, tps)
    return ReplayExtent(
        {(tp.topic, tp.partition): starts[tp] for tp in lasts},
        {(tp.topic, tp.partition): last + 1 for tp, last in lasts.items()},
    )


async def last_records(options: Mapping[str, Any], partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """The offset of each partition's last committed record; partitions without any are left out.

    The high watermark is not enough: a log may end in transaction markers and aborted records.
    Raises `BrokerError`.
    """
    async with OffsetReader(options) as offsets:
        starts, ends = await offsets.starts(partitions), await offsets.ends(partitions, "read_committed")
    filled = [tp for tp in partitions if ends[tp] > starts[tp]]
    if not filled:
        return {}
    consumer = AIOKafkaConsumer(
        **options,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=50,
    )
    try:
        await connected(consumer.start())
        found = {tp: await _last_record(consumer, tp, starts[tp], ends[tp]) for tp in filled}
    except KafkaError as error:
        raise BrokerError(f"the ends of the topics cannot be read: {error!r}; see `cxstream doctor`") from error
    finally:
        await consumer.stop()
    return {tp: last for tp, last in found.items() if last is not None}


async def _last_record(consumer: Any, tp: TopicPartition, start: int, end: int) -> int | None:
    back = _LOOK_BACK
    while True:
        first = max(start, end - back)
        last = await _last_record_from(consumer, tp, first, end)
        if last is not None or first == start:
            return last
        back *= _LOOK_BACK_FACTOR


async def _last_record_from(consumer: Any, tp: TopicPartition, first: int, end: int) -> int | None:
    consumer.assign([tp])
    consumer.seek(tp, first)
    last, deadline = None, monotonic() + _READ_S
    while await consumer.position(tp) < end:
        for records in (await consumer.getmany(tp, timeout_ms=_FETCH_MS)).values():
            last = max((record.offset for record in records if record.offset < end), default=last)
        if monotonic() > deadline:
            raise BrokerError(f"{tp.topic}/{tp.partition}: its end at {end} cannot be read; see `cxstream doctor`")
    return last
