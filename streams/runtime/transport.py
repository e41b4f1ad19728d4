"""Faust's Kafka transport, except that a fetched chunk of one partition is ONE message.

Faust makes one message object per record, which costs more than all the processing of the record. Here the value
of a message is the list of fetched records, and it is acknowledged as a whole. Faust's `Stream.take(n)`, which
collects messages into lists, was rejected: the objects are made by then, and it acknowledges chunks that failed.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple, Protocol, cast

import aiokafka
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message

MAX_CHUNK = 4_000
"""Records per message; a longer fetch becomes several."""

_FETCH_WAIT_MS = 100


class _App(Protocol):
    """What the consumer asks of its app in addition to what Faust asks."""

    on_records_deleted: Callable[[TP, int, int], None]
    """Called with a partition, the position that is gone and the first offset that is left."""


async def seek_each(consumer: aiokafka.AIOKafkaConsumer) -> dict[TP, int | None]:
    """Seek every assigned partition to its committed offset, or to its start where there is none; returns the former.

    Raises `IllegalStateError` when the assignment changes meanwhile.
    """
    found: dict[TP, int | None] = {}
    for tp in consumer.assignment():
        committed = found[TP(*tp)] = await consumer.committed(tp)
        if committed is None:
            await consumer.seek_to_beginning(tp)
        else:
            consumer.seek(tp, committed)
    return found


async def _seek_to_start(consumer: aiokafka.AIOKafkaConsumer, tp: TP) -> int:
    await consumer.seek_to_beginning(tp)
    start: int = await consumer.position(tp)
    return start


def _unchanged(_: TP, record: Any) -> Any:
    return record


class BatchThread(driver.AIOKafkaConsumerThread):
    """The consumer's thread, reading only committed records and giving equal partitions to one worker."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust offers no setting for these four. The state of a partition spans all source topics, so one worker must
        # get the same partition numbers of all of them: range assignment does that for topics with equal counts.
        # Round robin, which Faust uses for an app without tables, does not (see docs/decisions/0004).
        self._assignor = RangePartitionAssignor
        consumer._partition_assignment_strategy = (RangePartitionAssignor,)
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS
        consumer._auto_offset_reset = "none"  # reading on elsewhere would hide deleted records
        return consumer

    async def _fetch_records(self, consumer: aiokafka.AIOKafkaConsumer, *args: Any, **kwargs: Any) -> Any:
        # The client makes a dataclass of every record, which takes half as long as decoding the event in it. The
        # object that it makes it from has all the fields we read.
        for fetched in consumer._fetcher._records.values():
            records = getattr(fetched, "_partition_records", None)
            if records is not None:
                records._consumer_record = _unchanged
        return await super()._fetch_records(consumer, *args, **kwargs)

    async def seek_to_start(self, tp: TP) -> int:
        """Continue at the first record of the log; returns its offset."""
        start: int = await self.call_thread(_seek_to_start, self._ensure_consumer(), tp)
        return start

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """See `seek_each`."""
        found: Mapping[TP, int] = await self.call_thread(seek_each, self._ensure_consumer())
        return found

    def positions(self) -> dict[TP, int]:
        """Where the next fetch of each assigned partition begins; call it only while no fetch is under way."""
        return {tp: state.position for tp, state in self._states().items() if state.has_valid_position}

    def ends(self) -> dict[TP, int]:
        """Where the log of each assigned partition ended at its last fetch."""
        return {tp: state.highwater for tp, state in self._states().items() if state.highwater is not None}

    def _states(self) -> dict[TP, Any]:
        subscription = self._consumer._subscription.subscription if self._consumer else None
        assignment = subscription.assignment if subscription else None
        return {TP(*tp): assignment.state_value(tp) for tp in assignment.tps} if assignment else {}


class ReadPosition(NamedTuple):
    """How far a partition has been read.

    `delivered` is the offset of the last record delivered since the assignment (-1 for none). The offsets from there
    to `position` hold no record.
    """

    delivered: int
    position: int


class BatchConsumer(driver.Consumer):
    """Turns fetched records into messages of whole chunks, and never leaves one out.

    Faust drops records that were fetched around a rebalance and relies on the seek to the committed offsets that
    follows. It may deliver later records before that seek, and it does not seek a partition without a committed
    offset. Here, after anything was dropped, no record is delivered until every partition has been sought.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._sought_generation: int | None = None
        self._read_positions: dict[TP, ReadPosition] = {}
        super().__init__(*args, **kwargs)

    def read_position(self, topic: str, partition: int) -> ReadPosition | None:
        """How far a partition has been read; None while that is unknown."""
        return self._read_positions.get(TP(topic, partition)) if self._is_gapless() else None

    def ends(self) -> dict[TP, int]:
        """Where the logs of the assigned partitions end, as the last fetch saw it."""
        return cast(BatchThread, self._thread).ends()

    def stop_flow(self) -> None:
        """A rebalance begins: Faust clears its queues, so all partitions must be sought again."""
        self._sought_generation = None
        super().stop_flow()

    def resume_flow(self) -> None:
        """A rebalance ends: Faust has cleared its queues once more."""
        self._sought_generation = None
        super().resume_flow()

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:
        """Fetch, and yield one message for each chunk, taking turns between the partitions."""
        if self.flow_active and not self._is_gapless():
            await self._seek_again()
        try:
            records, active = await self._wait_next_records(timeout)
        except NoOffsetForPartitionError:  # a partition has not been sought yet; nothing is delivered before all are
            return
        except OffsetOutOfRangeError as error:
            await self._continue_at_start(error.args[0])
            return
        if not self._is_gapless() or self.should_stop:
            self._sought_generation = None
            return
        for tp, chunk in _interleaved(records or {}):
            is_ours = active is None or tp in active or tp in self._buffered_partitions
            if not (self._is_gapless() and is_ours):
                self._sought_generation = None
                return
            yield tp, _message(tp, chunk, cast(int, self._sought_generation))
            self._read_positions[tp] = ReadPosition(chunk[-1].offset, chunk[-1].offset + 1)
        if self._is_gapless():
            self._note_positions()

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    def _is_gapless(self) -> bool:
        """Whether all partitions have been sought since the assignment, and nothing was dropped since."""
        return self.flow_active and self._sought_generation == self.app.consumer_generation_id

    async def _seek_again(self) -> None:
        generation = self.app.consumer_generation_id
        if await self._perform_seek():
            self._read_positions.clear()
            self._sought_generation = generation

    async def perform_seek(self) -> None:
        """Seek to the committed offsets, or the start; without an assignment there is nothing to seek."""
        await self._perform_seek()

    async def _perform_seek(self) -> bool:
        try:
            await super().perform_seek()
        except IllegalStateError:
            self.log.info("the assignment changed during a seek; the next one is sought again")
            return False
        return True

    async def _continue_at_start(self, positions: Mapping[Any, int]) -> None:
        for tp, position in positions.items():
            try:
                start = await cast(BatchThread, self._thread).seek_to_start(tp)
            except IllegalStateError:
                self._sought_generation = None
                return
            cast(_App, self.app).on_records_deleted(TP(*tp), position, start)

    def _note_positions(self) -> None:
        thread = cast(BatchThread, self._thread)
        for tp, position in thread.positions().items():
            delivered = self._read_positions[tp].delivered if tp in self._read_positions else -1
            self._read_positions[tp] = ReadPosition(delivered, position)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust's own watch ends a worker whose position is not known yet. /healthz watches progress."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: gaps between chunks are legitimate (markers, compaction) and must not hold a commit back."""

    def _new_offset(self, tp: TP) -> int | None:
        # Chunks are acknowledged in order, each after its checkpoint, so the newest one stands for all before it.
        # Faust's search for the end of a contiguous range was rejected: one gap after offset 0 stops it for good.
        acked = self._acked[tp]
        if not acked:
            return None
        newest = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return newest + 1


class BatchTransport(driver.Transport):
    """The transport of an app; set it before the app starts: `app.transport = BatchTransport(url, app)`."""

    Consumer = BatchConsumer


def _interleaved(records: Mapping[TP, list[Any]]) -> list[tuple[TP, list[Any]]]:
    chunks = [
        (start, tp, fetched[start : start + MAX_CHUNK])
        for tp, fetched in records.items()
        for start in range(0, len(fetched), MAX_CHUNK)
    ]
    return [(tp, chunk) for _, tp, chunk in sorted(chunks, key=lambda item: item[0])]


def _message(tp: TP, chunk: list[Any], generation: int) -> Message:
    last = chunk[-1]
    return ConsumerMessage(
        tp.topic,
        tp.partition,
        last.offset,
        last.timestamp / 1000,
        last.timestamp_type,
        [],
        None,
        cast(bytes, chunk),  # Faust only passes it on
        None,
        0,
        0,
        tp,
        generation_id=generation,
    )
