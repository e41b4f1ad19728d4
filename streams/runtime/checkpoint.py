"""Atomic checkpoints: outputs and state of one partition, in one fenced transaction or one record batch.

Faust's tables and its `exactly_once` are not used: after a restart, tables can lose events or count them twice.
Here the applied offsets are part of the state, so a restart continues exactly where the state ends.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalOperation, InvalidProducerEpoch, KafkaError, ProducerFenced

from streams.errors import BrokerError, FencedError, StateError
from streams.runtime.clock import now_ms
from streams.runtime.failpoints import reach

log = logging.getLogger(__name__)

TRANSACTION_TIMEOUT_MS = 60_000
"""How long the open transaction of a dead worker may hold back readers, unless its successor aborts it before."""

_FENCED = (ProducerFenced, InvalidProducerEpoch)


class Output(NamedTuple):
    """One record to publish; a value of None deletes its key."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


Change = tuple[bytes, bytes | None]
"""Key and value of a state change in the changelog."""

_Record = tuple[bytes, bytes | None, Sequence[tuple[str, bytes]]]


class Checkpointer:
    """Writes the checkpoints of one partition of one stage. Call `open` before reading its state.

    With a `transactional_id` (Apache Kafka) outputs and state are one transaction, and opening fences every
    former owner. Without one (the embedded broker has no transactions) the state is one record batch, which a
    broker appends whole or not at all. Outputs that cannot be made again from the state are sent before it, and
    the others after it, so that a successor can repeat them; nothing fences a former owner, so only one worker
    may run. Raises `FencedError` if a newer owner has taken over, and `BrokerError` if a send fails for good.
    """

    def __init__(self, options: Mapping[str, Any], transactional_id: str | None, max_batch_bytes: int) -> None:
        self._transactional = transactional_id is not None
        self._max_batch_bytes = max_batch_bytes
        extra = {"transactional_id": transactional_id, "transaction_timeout_ms": TRANSACTION_TIMEOUT_MS}
        self._options = dict(
            **options,
            acks="all",
            max_batch_size=max_batch_bytes,
            max_request_size=4 * max_batch_bytes,
            enable_idempotence=self._transactional,
            **(extra if self._transactional else {}),
        )
        self._open: AIOKafkaProducer | None = None

    @property
    def atomic_limit(self) -> int | None:
        """How many bytes of state one checkpoint can hold; None if there is no limit."""
        return None if self._transactional else self._max_batch_bytes

    async def open(self) -> None:
        """Connect, and fence the former owner."""
        self._open = AIOKafkaProducer(**self._options)
        try:
            await self._open.start()
        except KafkaError as error:
            raise BrokerError(f"cannot open a producer: {error!r}; see `cxstream doctor`") from error

    async def close(self) -> None:
        """Close the connection; the broker aborts an open transaction."""
        try:
            if self._open is not None:
                await self._open.stop()
        except KafkaError as error:
            log.info("closing a producer: %r", error)

    @property
    def _producer(self) -> AIOKafkaProducer:
        if self._open is None:
            raise BrokerError("a checkpoint was written before the producer was opened")
        return self._open

    async def write(
        self,
        before_state: Sequence[Output],
        changelog: str,
        partition: int,
        changes: Sequence[Change],
        after_state: Sequence[Output] = (),
    ) -> int:
        """Write one checkpoint; returns its size in bytes. It is durable only if this returns.

        `changes` go to the topic `changelog`. `after_state` are the outputs that can be made again from the state.
        """
        try:
            if self._transactional:
                return await self._in_transaction([*before_state, *after_state], changelog, partition, changes)
            return await self._without_transaction(before_state, changelog, partition, changes, after_state)
        except (KafkaError, IllegalOperation) as error:
            cause = self._cause_of_failure() or error
            if isinstance(cause, _FENCED):
                raise FencedError(f"partition {partition}: a newer owner has taken over ({cause!r})") from error
            raise BrokerError(f"partition {partition}: checkpoint failed: {error!r}; see `cxstream doctor`") from error

    async def _in_transaction(
        self, outputs: Sequence[Output], changelog: str, partition: int, changes: Sequence[Change]
    ) -> int:
        reach("before checkpoint")
        try:
            await self._producer.begin_transaction()
        except AssertionError:  # this is how the client refuses to begin a transaction after it was fenced
            raise self._cause_of_failure() or IllegalOperation("no transaction can begin") from None
        reach("after begin")
        size = await self._send(outputs, "after outputs")
        size += await self._send([Output(changelog, partition, *change) for change in changes], "after changelog")
        await self._producer.commit_transaction()
        reach("after commit")
        return size

    def _cause_of_failure(self) -> BaseException | None:
        # The client learns in the background that it is fenced; its calls then only report a missing transaction.
        # The real cause is in futures of the client. Reading them also keeps asyncio from logging at exit that
        # their exceptions were never retrieved.
        if not self._transactional:
            return None
        ended = self._producer._txn_manager.wait_for_transaction_end()  # None before the first
        unsent = [batch for batches in self._producer._message_accumulator._batches.values() for batch in batches]
        found = [one.exception() for one in (ended, *(batch._drain_waiter for batch in unsent)) if _has_failed(one)]
        return found[0] if found else None

    async def _without_transaction(
        self,
        before_state: Sequence[Output],
        changelog: str,
        partition: int,
        changes: Sequence[Change],
        after_state: Sequence[Output],
    ) -> int:
        reach("before checkpoint")
        size = await self._send(before_state, "after outputs")
        if changes:
            size += await self._send_whole(changelog, partition, changes)
        return size + await self._send(after_state, "after last outputs")

    async def _send_whole(self, topic: str, partition: int, changes: Sequence[Change]) -> int:
        # A batch of our own making: send() would spread the records over batches as it sees fit, and a broker that
        # stops between two of them would keep half a checkpoint.
        batches = self._batches((key, value, ()) for key, value in changes)
        if len(batches) > 1:
            raise StateError(
                f"partition {partition}: a step of {len(changes)} changes does not fit into one record batch; "
                "raise kafka.max_batch_bytes (and the broker's limit), or use a broker with transactions"
            )
        sent = await self._producer.send_batch(batches[0], topic, partition=partition)
        await sent
        reach("after changelog")
        return int(batches[0].size())

    async def _send(self, outputs: Sequence[Output], point: str) -> int:
        by_partition: dict[tuple[str, int], list[_Record]] = defaultdict(list)
        for output in outputs:
            by_partition[output.topic, output.partition].append(output[2:])
        sent, size = [], 0
        for (topic, partition), records in by_partition.items():
            for batch in self._batches(records):
                size += batch.size()
                sent.append(await self._producer.send_batch(batch, topic, partition=partition))
        reach(point)
        await asyncio.gather(*sent)
        return size

    def _batches(self, records: Iterable[_Record]) -> list[Any]:
        """As few batches as possible; a record larger than a batch gets one of its own."""
        now = now_ms()
        batch = self._producer.create_batch()
        batches = [batch]
        for key, value, headers in records:
            if batch.append(key=key, value=value, timestamp=now, headers=[*headers]) is None:
                batch = self._producer.create_batch()
                batches.append(batch)
                batch.append(key=key, value=value, timestamp=now, headers=[*headers])
        return batches


def _has_failed(future: "asyncio.Future[None] | None") -> bool:
    return future is not None and future.done() and not future.cancelled() and future.exception() is not None
