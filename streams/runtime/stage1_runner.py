"""Stage 1 at run time: one partition's state, its pipelined checkpoints, and the acknowledgements after them."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, cast

import msgspec
from faust.types import EventT

from schemas.catalogue import CHANGELOG, REKEYED
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
from streams.runtime.publishing import Publisher
from streams.runtime.recovery import read_to_end
from streams.runtime.rekeyed import NO_ORIGIN, runs_by_origin
from streams.runtime.telemetry import Telemetry
from streams.settings import Settings

log = logging.getLogger(__name__)

_MAX_UNACKED_CHUNKS = 8
_MIN_SLICE, _MAX_SLICE = 100, 4_000
"""How many records are tried in one step. A full step makes the next slice shorter, so that few are decoded twice."""

_MAX_CHECKED, _MAX_RENEWED = 2_000, 200
"""How many customers `renew_assessments` looks at, and how many it assesses anew, at most in one call."""


class Stage1Runner:
    """Owns one partition number of all source topics: opens it, applies chunks, writes checkpoints, acknowledges.

    Checkpoints are pipelined: while one is in flight, the next chunks are applied, and all their changes go into
    the next checkpoint. One checkpoint for each chunk was rejected, because every chunk would then wait for a round
    trip to the broker. `on_fatal` is called with an error after which the runner cannot go on.
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
        self._slice = _MAX_SLICE
        self._unacked_chunks: list[EventT[Any]] = []
        self._applied_at_s: float | None = None
        self._passed_gap = False
        self._assessments_renewed = False
        self._refresh_ms = settings.seconds("risk.refresh") * 1000
        self._gate = Gate()
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self.durable_offsets: dict[str, int] = {}

    async def open(self, logs: SourceLogs) -> None:
        """Fence the former owner, load the state, and make sure that no record is missing between it and the logs.

        `logs` is asked where the logs start, and what the group has committed, before the state is read, and where
        the logs end after it. Another worker may own the partition meanwhile and continue. In this order every
        committed offset that is compared is in the state already, and every record in the state is in the log already.
        In the other order, a worker that was paused in between would report a hole where there is none. Raises
        `HoleError` if records were deleted before they were applied or a topic was recreated, and `StateError` if the
        changelog is not from this state.
        """
        began = monotonic()
        positions = await logs.positions()
        await self._checkpointer.open()
        records, last = await self._load_changelog()
        self.durable_offsets = self._applied_offsets()
        refuse_holes(self.state, positions, await logs.ends())
        self._note_log_starts({topic: at.start for topic, at in positions.items() if topic not in self.state.progress})
        if self._checkpointer.atomic_limit is not None:
            await self._publish_again(last)
        self._telemetry.own_stage1(self.partition, self.state)
        if self._passed_gap:
            self._start_checkpoints()
        log.info(
            "partition %d: loaded %d customers from %d changelog records in %.2f s",
            self.partition,
            len(self.state.ledger.customers),
            records,
            monotonic() - began,
        )

    async def take(self, topic: str, event: EventT[Any]) -> None:
        """Apply a chunk; it is acknowledged when a checkpoint with its changes is durable."""
        records = cast(Sequence[SourceRecord], event.value)
        self._telemetry.chunk_taken(topic, self.partition, records[-1].timestamp)
        if topic == REKEYED.name:
            await self._apply_rekeyed(records)
        else:
            await self._apply(topic, records, None)
        if self._closed:
            return
        self._unacked_chunks.append(event)
        self._start_checkpoints()
        await asyncio.sleep(0)
        while len(self._unacked_chunks) >= _MAX_UNACKED_CHUNKS and not self._closed:
            await self._await_checkpoint()

    def advance_past_gap(self, topic: str, delivered: int, position: int) -> None:
        """Count the offsets between the record `delivered` and `position` as applied: there is no record among them.

        They are transaction markers and aborted or compacted records. Without this a restart would see a hole there.
        """
        progress = self.state.progress[topic]
        if progress.applied >= delivered and position - 1 > progress.applied:
            progress.applied = position - 1
            self._passed_gap = True
            self._start_checkpoints()

    def on_records_deleted(self, topic: str, position: int, start: int) -> None:
        """Fail with a `HoleError` if records between `position` and `start` are gone that were never applied."""
        hole = hole_of_deletion(self.state, topic, position, start)
        if hole is not None:
            self._on_fatal(hole)

    def renew_assessments(self) -> None:
        """Assess some customers anew whose assessment is old or from another model; called every second or so."""
        if not self._closed and self.state.renew_assessments(
            now_ms(), self._refresh_ms, _MAX_CHECKED, _MAX_RENEWED, self._budget.step_bytes // 2
        ):
            self._assessments_renewed = True
            self._start_checkpoints()

    async def settle_assessments(self, at_ms: int) -> None:
        """End of a replay: assess all customers as known at `at_ms`, and make the assessments durable."""
        while self.state.settle_assessments(at_ms, self._budget.step_bytes):
            self._assessments_renewed = True
            await self._await_checkpoint()
        await self.wait_until_durable()

    async def suspend(self, patience_s: float) -> None:
        """Start no further checkpoint; wait at most `patience_s` seconds for the one in flight."""
        if not await self._gate.suspend(patience_s):
            log.info("partition %d: a checkpoint is still in flight after %g s", self.partition, patience_s)

    def resume(self) -> None:
        """Write checkpoints again."""
        self._gate.resume()

    async def close(self, patience_s: float) -> None:
        """Wait at most `patience_s` seconds for the checkpoint in flight, then release everything."""
        await self.suspend(patience_s)
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        self._telemetry.disown_stage1(self.partition)
        await self._checkpointer.close()

    async def wait_until_durable(self) -> None:
        """Wait until everything applied is durable."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def _await_checkpoint(self) -> None:
        self._start_checkpoints()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _apply_rekeyed(self, records: Sequence[SourceRecord]) -> None:
        for origin, run in runs_by_origin(records):
            if origin is None:
                self.state.refuse(REKEYED.name, run, NO_ORIGIN)
            else:
                await self._apply(REKEYED.name, run, origin)

    async def _apply(self, topic: str, records: Sequence[SourceRecord], origin: str | None) -> None:
        rest = records
        while rest and not self._closed:
            taken = self.state.apply(topic, rest[: self._slice], now_ms(), origin, self._budget.step_bytes)
            full = taken < min(len(rest), self._slice)
            self._slice = max(_MIN_SLICE, taken) if full else min(_MAX_SLICE, 2 * self._slice)
            rest = rest[taken:]
            if self._applied_at_s is None:
                self._applied_at_s = monotonic()
            if full:  # the changes fill a checkpoint: the next records wait until it is written
                await self._await_checkpoint()

    def _start_checkpoints(self) -> None:
        if not self._closed and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._checkpoints(), name=f"checkpoint-{self.partition}")
            self._task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._closed:
            self._on_fatal(error)

    async def _checkpoints(self) -> None:
        while self._applied_at_s is not None or self._unacked_chunks or self._passed_gap or self._assessments_renewed:
            async with self._gate.open_for_write():
                await self._checkpoint()

    async def _checkpoint(self) -> None:
        began = monotonic()
        unacked, self._unacked_chunks = self._unacked_chunks, []
        applied_at, self._applied_at_s = self._applied_at_s, None
        self._passed_gap = self._assessments_renewed = False
        applied_offsets = self._applied_offsets()
        changes = self.state.drain(self._budget.closed_panes)
        outputs = self._publisher.checkpoint(changes, self.state)
        records = changelog.changelog_records(self.state, changes)
        topic = self._settings.topic(CHANGELOG.name)
        size = await self._checkpointer.write(outputs.before_state, topic, self.partition, records, outputs.after_state)
        self.durable_offsets = applied_offsets
        self._telemetry.checkpoint_written(self.partition, size, monotonic() - began, applied_at)
        for event in unacked:
            event.ack()
        reach("after ack")

    def _applied_offsets(self) -> dict[str, int]:
        return {topic: progress.applied for topic, progress in self.state.progress.items()}

    async def _load_changelog(self) -> tuple[int, changelog.LastCheckpoint]:
        """Load the state; returns how many records it was read from, and the records of the newest checkpoint."""
        records, last = 0, changelog.LastCheckpoint()
        topic = self._settings.topic(CHANGELOG.name)
        async with aclosing(read_to_end(self._options, topic, self.partition)) as chunks:
            async for chunk in chunks:
                records += len(chunk)
                for record in chunk:
                    self._load(record)
                    if self._checkpointer.atomic_limit is not None:
                        last.add(record.key or b"", record.value)
                await asyncio.sleep(0)
        return records, last

    def _load(self, record: Any) -> None:
        try:
            changelog.load(self.state, record.key or b"", record.value)
        except (msgspec.MsgspecError, LookupError, ValueError) as error:
            raise StateError(
                f"{record.topic}/{self.partition}: record {record.offset} is no state of ours ({error}); "
                "restore the changelog, or set a new app.id and a new kafka.prefix to build the state anew "
                "from the source topics"
            ) from error

    def _note_log_starts(self, starts: dict[str, int]) -> None:
        """Record where the logs of new topics start: a deletion from there on is a hole from now on."""
        for topic, start in starts.items():
            self.state.progress[topic] = TopicProgress(applied=start - 1)
        self._passed_gap = bool(starts)

    async def _publish_again(self, last: changelog.LastCheckpoint) -> None:
        """Publish what the former owner may have made durable without publishing it."""
        known = self.state.assessments.last_assessed(last.assessed(), self.state.ledger)
        outputs = self._publisher.of_state(known, last.panes(), last.closed(), self.state)
        await self._checkpointer.write([], self._settings.topic(CHANGELOG.name), self.partition, [], outputs)
