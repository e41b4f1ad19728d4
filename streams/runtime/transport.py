"""Faust's Kafka transport, except that a fetched chunk of one partition is ONE message.

Faust hands over one Python object a record, which costs more than everything we do with it. Here
the value of a message of a batch topic is the list of fetched records; it is acknowledged as one.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import aiokafka
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message

MAX_CHUNK = 4_000
"""Records per message; a longer fetch becomes several."""

_FETCH_WAIT_MS = 100


class BatchThread(driver.AIOKafkaConsumerThread):
    """The consumer's thread, reading only committed records and giving equal partitions to one worker."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust offers no setting for these three. Range assignment gives the same partition numbers
        # of all topics with equal counts to one worker, on which the state of a partition depends.
        self._assignor = RangePartitionAssignor
        consumer._partition_assignment_strategy = (RangePartitionAssignor,)
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS
        return consumer


class BatchConsumer(driver.Consumer):
    """Turns fetched records into messages of whole chunks."""

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:
        """Fetch, and yield one message for each chunk, taking turns between the partitions."""
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            await self._seek_back()
            return
        for tp, chunk in _in_turns(records):
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            if active is None or tp in active or tp in self._buffered_partitions:
                yield tp, _message(tp, chunk, generation)

    async def _seek_back(self) -> None:
        try:
            await self.perform_seek()
        except IllegalStateError:
            self.log.info("no assignment to seek in while rebalancing; fetching again")

    async def perform_seek(self) -> None:
        """Seek to the committed offsets; while a rebalance leaves no assignment there is nothing to seek."""
        try:
            await super().perform_seek()
        except IllegalStateError:
            self.log.info("assignment changed during a seek; the next assignment seeks again")

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps between chunks are legitimate (markers, compaction) and never hold a commit back."""

    def _new_offset(self, tp: TP) -> int | None:
        # Chunks are acknowledged in order, each after its checkpoint: the newest one is what holds.
        acked = self._acked[tp]
        if not acked:
            return None
        newest = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return newest + 1


class BatchTransport(driver.Transport):
    """Give an app this transport before it starts: `app.transport = BatchTransport(url, app)`."""

    Consumer = BatchConsumer


def _in_turns(records: Mapping[TP, list[Any]]) -> list[tuple[TP, list[Any]]]:
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
        cast(bytes, chunk),  # Faust only hands it on
        None,
        0,
        0,
        tp,
        generation_id=generation,
    )
