"""Stage 2 at run time: one partition of cells, from partials to published windows."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

import msgspec
from faust.types import EventT

from schemas.catalogue import PANES, SCORES
from schemas.decoding import Invalid
from schemas.pane import Pane, PaneRecord
from schemas.score import Score
from streams.core.stage1.definition import Definition
from streams.core.stage1.outcomes import RejectedRecord
from streams.core.stage2.cell_state import SourcePartition
from streams.core.stage2.replay_clock import ReplayClock
from streams.core.stage2.windows import Windows
from streams.runtime.checkpoint import Checkpointer
from streams.runtime.clock import monotonic, now_ms
from streams.runtime.fatal import OnFatal
from streams.runtime.gate import Gate
from streams.runtime.publishing import Publisher, score_key
from streams.runtime.recovery import read_to_end
from streams.runtime.telemetry import Telemetry
from streams.settings import Settings

log = logging.getLogger(__name__)

PUBLISH_INTERVAL_S = 0.25
"""How long changes are collected before they are published."""

_IDLE_INTERVAL_S = 1.0
"""How long to wait for partials before publishing windows that changed only because time passed."""

_FINISH_S = 60.0
"""How long the end of a replay waits for the publication in flight."""

_MAX_RESULTS = 5_000
"""How many results go into one checkpoint at most."""

_partial = msgspec.json.Decoder(PaneRecord).decode
_score = msgspec.json.Decoder(Score).decode


@dataclass
class _Unpublished:
    """What was applied since the last publication; times are those of arrival at the broker."""

    chunks: list[EventT[Any]] = field(default_factory=list)
    partials: int = 0
    rejected: list[RejectedRecord] = field(default_factory=list)
    oldest_ms: int | None = None
    newest_ms: int | None = None

    def add(self, event: EventT[Any], oldest_ms: int, newest_ms: int) -> None:
        """Take a chunk, which is acknowledged after the publication."""
        self.chunks.append(event)
        self.oldest_ms = oldest_ms if self.oldest_ms is None else self.oldest_ms
        self.newest_ms = newest_ms


class Stage2Runner:
    """Owns one partition of `cx.panes.v1`: its windows are rebuilt from that topic, so it has no changelog.

    With `ends` (the end offset of each source partition that is not empty) this is a replay: results
    belong to boundaries in event time and are final. While `hold_results` returns true, none is due before `finish`.
    `on_fatal` is called with an error after which the runner cannot go on.
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
        ends: Mapping[SourcePartition, int] | None = None,
        hold_results: Callable[[], bool] = lambda: False,
    ) -> None:
        self.partition = partition
        self.windows = Windows(settings.spans(), definition.lateness, settings.owners)
        self.latest: dict[bytes, Score] = {}
        self.applied = self.published_offset = -1
        self.published_partials = 0
        every = settings.seconds("windows.every") * 1000 if settings.windows.every else 0
        self._replay_clock = None if ends is None else ReplayClock(self.windows, definition.lateness, every, ends)
        self._hold_results = hold_results
        self._settings = settings
        self._options = options
        self._publisher = publisher
        self._telemetry = telemetry
        self._on_fatal = on_fatal
        identity = f"{settings.app.id}-rollup-{partition}" if transactional else None
        self._checkpointer = Checkpointer(options, identity, settings.kafka.max_batch_bytes)
        self._unpublished = _Unpublished()
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._gate = Gate()

    async def open(self) -> None:
        """Fence the former owner, rebuild the windows, and start publishing."""
        began, records = monotonic(), 0
        await self._checkpointer.open()
        async with aclosing(self._read(SCORES.name)) as published:
            async for chunk in published:
                for record in chunk:
                    self._restore(record.key, record.value)
        async with aclosing(self._read(PANES.name)) as partials:
            async for chunk in partials:
                records += len(chunk)
                for record in chunk:
                    self._apply(record)
                await asyncio.sleep(0)
        self._telemetry.own_stage2(self.partition, self)
        self._task = asyncio.create_task(self._publishing(), name=f"rollup-{self.partition}")
        self._task.add_done_callback(self._on_task_done)
        log.info(
            "partition %d: rebuilt %d cells from %d partials in %.2f s",
            self.partition,
            self.windows.cell_count,
            records,
            monotonic() - began,
        )

    def _read(self, topic: str) -> AsyncGenerator[Sequence[Any], None]:
        return read_to_end(self._options, self._settings.topic(topic), self.partition)

    async def take(self, event: EventT[Any]) -> None:
        """Apply a chunk of partials; it is acknowledged when the results that follow from it are published."""
        records = cast(Sequence[Any], event.value)
        for record in records:
            if record.offset > self.applied:
                self._apply(record)
        self._unpublished.add(event, records[0].timestamp, records[-1].timestamp)
        self._wake.set()
        await asyncio.sleep(0)

    def advance_past_gap(self, delivered: int, position: int) -> None:
        """Treat the offsets after the record `delivered` and before `position` as published: they hold no record.

        They are transaction markers and aborted or compacted records.
        """
        if self.published_offset >= max(delivered, self.applied):
            self.published_offset = max(self.published_offset, position - 1)

    async def finish(self) -> None:
        """End of a replay: publish the remaining results and stop."""
        await self._stop(_FINISH_S)
        if self._replay_clock is not None:
            await self._publish(self._replay_clock.finish())

    async def suspend(self, patience_s: float) -> None:
        """Publish nothing more; wait at most `patience_s` seconds for the results in flight."""
        if not await self._gate.suspend(patience_s):
            log.info("partition %d: results are still in flight after %g s", self.partition, patience_s)

    def resume(self) -> None:
        """Publish again."""
        self._gate.resume()

    async def close(self, patience_s: float) -> None:
        """Stop publishing and release everything."""
        await self.suspend(patience_s)
        await self._stop(0.0)
        self._telemetry.disown_stage2(self.partition)
        await self._checkpointer.close()

    async def _stop(self, patience_s: float) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.remove_done_callback(self._on_task_done)
            self._wake.set()
            if patience_s:
                await asyncio.wait([task], timeout=patience_s)
            task.cancel()

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._on_fatal(error)

    async def _publishing(self) -> None:
        while self._task is not None:
            async with self._gate.open_for_write():
                await self._publish(self._due())
            self._wake.clear()
            if not self._unpublished.chunks:
                await self._wait_for_input()
            if self._task is not None:
                await asyncio.sleep(PUBLISH_INTERVAL_S)

    async def _wait_for_input(self) -> None:
        try:
            async with asyncio.timeout(_IDLE_INTERVAL_S):
                await self._wake.wait()
        except TimeoutError:
            pass  # windows may have moved on with the clock

    def _due(self) -> Iterable[Score]:
        if self._replay_clock is not None:
            return () if self._hold_results() else self._replay_clock.due()
        self.windows.advance(now_ms())
        return self.windows.changed_results()

    async def _publish(self, results: Iterable[Score]) -> None:
        batch, self._unpublished, applied = self._unpublished, _Unpublished(), self.applied
        await self._publish_rejects(batch.rejected)
        remaining, published = iter(results), False
        while some := list(islice(remaining, _MAX_RESULTS)):
            outputs = self._publisher.scores(some, self.partition)
            await self._checkpointer.write(outputs, self._settings.topic(SCORES.name), self.partition, [])
            for result in some:
                self.latest[score_key(result)] = result
            published = True
            self._telemetry.results_published(self.partition)
        for event in batch.chunks:
            event.ack()
        if applied > self.published_offset:
            self.published_offset, self.published_partials = applied, self.published_partials + batch.partials
            self._telemetry.partials_published(self.partition, batch.oldest_ms if published else None, batch.newest_ms)

    async def _publish_rejects(self, rejected: Sequence[RejectedRecord]) -> None:
        if rejected:
            outputs = self._publisher.rejects(rejected, self.partition)
            await self._checkpointer.write(outputs, self._settings.topic(PANES.name), self.partition, [])

    def _apply(self, record: Any) -> None:
        self.applied = record.offset
        self._unpublished.partials += 1
        if record.value is None:
            return
        try:
            partial = _partial(record.value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._unpublished.rejected.append(
                RejectedRecord(PANES.name, record, Invalid("wrong_topic", "", f"not a partial: {error}"))
            )
            return
        if self._replay_clock is None:
            if isinstance(partial, Pane):
                self.windows.apply(partial)
        elif isinstance(partial, Pane):
            self._replay_clock.apply(partial)
        else:
            self._replay_clock.apply_watermark(partial)

    def _restore(self, key: bytes | None, value: bytes | None) -> None:
        if value is None or key is None or self._replay_clock is not None:
            return
        try:
            self.latest[key] = _score(value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("partition %d: %s holds no score under key %r: %s", self.partition, SCORES.name, key, error)
        else:
            self.windows.restore(self.latest[key])
