"""Stage 1 at work: one partition's state, its pipelined checkpoints, and the acknowledgements after them."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from itertools import groupby
from typing import Any, cast

import msgspec
from faust.types import EventT

from schemas.catalogue import CHANGELOG, REKEYED, SOURCE_TOPICS
from schemas.decoding import Invalid
from streams.core.stage1.checkpoint_budget import CheckpointBudget
from streams.core.stage1.definition import Definition
from streams.core.stage1.outcomes import SourceRecord, TopicProgress
from streams.core.stage1.partition_state import PartitionState
from streams.errors import StateError
from streams.runtime import changelog
from streams.runtime.checkpoint import Checkpointer
from streams.runtime.clock import monotonic, now_ms
from streams.runtime.failpoints import reach
from streams.runtime.fatal import OnFatal
from streams.runtime.gate import Gate
from streams.runtime.holes import SourceLogs, hole_of_deletion, refuse_holes
from streams.runtime.publishing import ORIGIN, Publisher
from streams.runtime.recovery import read_to_end
from streams.runtime.telemetry import Telemetry
from streams.settings import Settings

log = logging.getLogger(__name__)

_MAX_UNACKED = 8
_SLICES = (100, 4_000)
"""Fewest and most records tried in one step: a full step makes the next one shorter, so that little is read twice."""

_LOOKED_AT, _RENEWED = 2_000, 200
"""How many customers are looked at, and assessed anew at most, each time it is noted that time has passed."""

_SOURCE_NAMES = frozenset(topic.name for topic in SOURCE_TOPICS)
_STRANGER = Invalid("wrong_topic", "", f"{REKEYED.name} is internal: send events to their source topics")


class Stage1Runner:
    """Owns one partition number of all sources: opens, applies, checkpoints, acknowledges.

    While a checkpoint is in flight the next chunks are applied; when it has landed, all that changed
    since goes into the next one. `on_fatal` is called with an error after which the
    runner cannot go on.
    """

    def __init__(
        self,
        partition: int,
        definition: Definition,
        settings: Settings,
        options: dict[str, Any],
        publisher: Publisher,
        telemetry: Telemetry,
        transactional: bool,
        on_fatal: OnFatal,
    ) -> None:
        self.partition = partition
        self.state = PartitionState(partition, definition)
        self._settings = settings
        self._options = options
        self._publisher = publisher
        self._telemetry = telemetry
        self._on_fatal = on_fatal
        identity = f"{settings.app.id}-intake-{partition}" if transactional else None
        self._checkpointer = Checkpointer(options, identity, settings.kafka.max_batch_bytes)
        self._budget = CheckpointBudget.of(self._checkpointer.atomic_limit)
        self._slice = _SLICES[1]
        self._unacked: list[EventT[Any]] = []
        self._applied_at: float | None = None
        self._passed_gap = False
        self._renewed = False
        self._refresh = settings.seconds("risk.refresh") * 1000
        self._gate = Gate()
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self.durable: dict[str, int] = {}

    async def open(self, logs: SourceLogs) -> None:
        """Fence the former owner, load the state, and make sure nothing is missing between it and the log.

        `logs` is asked where the logs start, and what the group has committed, before the state is read, and where
        the logs end after it. While another worker owns the partition, and goes on, every offset that was committed
        by then is in the state, and every record in the state is in the log. In the other order, a worker that was
        paused in between and lost the partition would find a hole where there is none. Raises `HoleError` if records
        were deleted before they were applied or a topic was recreated, and `StateError` if the changelog holds
        something else than this state.
        """
        began, records, last = monotonic(), 0, changelog.LastCheckpoint()
        positions = await logs.positions()
        await self._checkpointer.open()
        topic = self._settings.topic(CHANGELOG.name)
        async with aclosing(read_to_end(self._options, topic, self.partition)) as changelog_:
            async for chunk in changelog_:
                records += len(chunk)
                for record in chunk:
                    self._load(record)
                    if self._checkpointer.atomic_limit is not None:
                        last.add(record.key or b"", record.value)
                await asyncio.sleep(0)
        self.durable = {name: progress.applied for name, progress in self.state.progress.items()}
        refuse_holes(self.state, positions, await logs.ends())
        self._begin({topic: at.start for topic, at in positions.items() if topic not in self.state.progress})
        if self._checkpointer.atomic_limit is not None:
            await self._publish_again(last)
        self._telemetry.own_stage1(self.partition, self.state)
        if self._passed_gap:
            self._start()
        log.info(
            "partition %d: %d customers from %d changelog records in %.2f s",
            self.partition,
            len(self.state.ledger.customers),
            records,
            monotonic() - began,
        )

    async def take(self, topic: str, event: EventT[Any]) -> None:
        """Apply a chunk; it is acknowledged when a checkpoint that holds it has landed."""
        records = cast(Sequence[SourceRecord], event.value)
        self._telemetry.chunk_taken(topic, self.partition, records[-1].timestamp)
        if topic == REKEYED.name:
            await self._apply_rekeyed(records)
        else:
            await self._apply(topic, records, None)
        if self._closed:
            return
        self._unacked.append(event)
        self._start()
        await asyncio.sleep(0)
        while len(self._unacked) >= _MAX_UNACKED and not self._closed:
            await self._room()

    def advance_past_gap(self, topic: str, delivered: int, position: int) -> None:
        """Note that nothing but transaction markers and the like follows the record `delivered` up to `position`."""
        progress = self.state.progress[topic]
        if progress.applied >= delivered and position - 1 > progress.applied:
            progress.applied = position - 1
            self._passed_gap = True
            self._start()

    def on_records_deleted(self, topic: str, position: int, start: int) -> None:
        """The log of `topic` was to be read on at `position`, but starts at `start`, or ends before it."""
        hole = hole_of_deletion(self.state, topic, position, start)
        if hole is not None:
            self._on_fatal(hole)

    def renew_assessments(self) -> None:
        """Assess some customers anew, because time has passed or there is another model; called every second or so."""
        if not self._closed and self.state.renew_assessments(
            now_ms(), self._refresh, _LOOKED_AT, _RENEWED, self._budget.step_bytes // 2
        ):
            self._renewed = True
            self._start()

    async def settle_assessments(self, at: int) -> None:
        """End of a replay: assess all customers as known at `at` (ms), and make it durable."""
        while self.state.settle_assessments(at, self._budget.step_bytes):
            self._renewed = True
            await self._room()
        await self.settle()

    async def suspend(self, patience_s: float) -> None:
        """Start no further checkpoint; wait at most `patience_s` seconds for the one in flight."""
        if not await self._gate.suspend(patience_s):
            log.info("partition %d: a checkpoint is still in flight after %g s", self.partition, patience_s)

    def resume(self) -> None:
        """Checkpoints go on."""
        self._gate.resume()

    async def close(self, patience_s: float) -> None:
        """Wait at most `patience_s` seconds for the checkpoint in flight, then release everything."""
        await self.suspend(patience_s)
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        self._telemetry.disown_stage1(self.partition)
        await self._checkpointer.close()

    async def settle(self) -> None:
        """Wait until everything applied is durable."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def _room(self) -> None:
        self._start()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _apply_rekeyed(self, records: Sequence[SourceRecord]) -> None:
        for origin, run in _by_origin(records):
            if origin is None:
                self.state.refuse(REKEYED.name, run, _STRANGER)
            else:
                await self._apply(REKEYED.name, run, origin)

    async def _apply(self, topic: str, records: Sequence[SourceRecord], origin: str | None) -> None:
        rest = records
        while rest and not self._closed:
            taken = self.state.apply(topic, rest[: self._slice], now_ms(), origin, self._budget.step_bytes)
            full = taken < min(len(rest), self._slice)
            self._slice = max(_SLICES[0], taken) if full else min(_SLICES[1], 2 * self._slice)
            rest = rest[taken:]
            if self._applied_at is None:
                self._applied_at = monotonic()
            if full:  # only a checkpoint makes room
                await self._room()

    def _start(self) -> None:
        if not self._closed and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._checkpoints(), name=f"checkpoint-{self.partition}")
            self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._closed:
            self._on_fatal(error)

    async def _checkpoints(self) -> None:
        while self._applied_at is not None or self._unacked or self._passed_gap or self._renewed:
            async with self._gate.open_for_write():
                await self._checkpoint()

    async def _checkpoint(self) -> None:
        began = monotonic()
        unacked, self._unacked = self._unacked, []
        applied_at, self._applied_at = self._applied_at, None
        self._passed_gap = self._renewed = False
        durable = {name: progress.applied for name, progress in self.state.progress.items()}
        changes = self.state.drain(self._budget.closed_panes)
        outputs = self._publisher.checkpoint(changes, self.state)
        records = changelog.changelog_records(self.state, changes)
        topic = self._settings.topic(CHANGELOG.name)
        size = await self._checkpointer.write(outputs.before_state, topic, self.partition, records, outputs.after_state)
        self.durable = durable
        self._telemetry.checkpoint_written(self.partition, size, monotonic() - began, applied_at)
        for event in unacked:
            event.ack()
        reach("after ack")

    def _load(self, record: Any) -> None:
        try:
            changelog.load(self.state, record.key or b"", record.value)
        except (msgspec.MsgspecError, LookupError, ValueError) as error:
            raise StateError(
                f"{record.topic}/{self.partition}: record {record.offset} is no state of ours ({error}); "
                "restore the changelog, or set a new app.id to build the state anew from the source topics"
            ) from error

    def _begin(self, starts: dict[str, int]) -> None:
        """Note where new topics start: what is deleted from there on, before it was applied, will be missed."""
        for topic, start in starts.items():
            self.state.progress[topic] = TopicProgress(applied=start - 1)
        self._passed_gap = bool(starts)

    async def _publish_again(self, last: changelog.LastCheckpoint) -> None:
        """Publish what the former owner may have made durable without publishing it."""
        known = self.state.assessments.last_assessed(last.assessed(), self.state.ledger)
        outputs = self._publisher.of_state(known, last.panes(), last.closed(), self.state)
        await self._checkpointer.write([], self._settings.topic(CHANGELOG.name), self.partition, [], outputs)


def _by_origin(records: Sequence[SourceRecord]) -> Iterable[tuple[str | None, Sequence[SourceRecord]]]:
    """Runs of re-keyed records of one source topic; None where the header names none."""
    return [(origin, list(run)) for origin, run in groupby(records, _origin)]


def _origin(record: Any) -> str | None:
    origin = dict(record.headers).get(ORIGIN, b"").decode(errors="replace").partition("|")[0]
    return origin if origin in _SOURCE_NAMES else None
