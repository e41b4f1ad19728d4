"""A replay: both stages over the records that the source topics held when it began, and no later ones."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from shutil import rmtree
from typing import Any

from aiokafka import TopicPartition

from schemas.catalogue import PANES, REKEYED, SCORES
from streams.core.stage1.outcomes import RECORD_OUTCOMES, TopicProgress
from streams.core.time.lateness import NO_WATERMARK_MS
from streams.errors import BrokerError
from streams.runtime.clock import monotonic
from streams.runtime.connection import aiokafka_options
from streams.runtime.fatal import OnFatal
from streams.runtime.offsets import OffsetReader
from streams.runtime.opening import Ends
from streams.runtime.progress_clock import ProgressClock
from streams.runtime.replay_extent import ReplayExtent, last_records
from streams.runtime.worker import StreamsWorker

_STALLED_S = 60.0
"""A replay that makes no progress for so long has failed."""

_POLL_S = 0.05

Make = Callable[[Ends, OnFatal], StreamsWorker]
"""Makes the worker of a replay, which is not started yet."""


@dataclass
class TopicCounts:
    """The outcomes of the records of one topic, and the reasons of rejections; see `docs/semantics.md`."""

    received: int = 0
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RECORD_OUTCOMES, 0))
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, progress: TopicProgress) -> None:
        """Add the counts of one partition."""
        self.received += progress.received
        for outcome, number in progress.outcomes.items():
            self.outcomes[outcome] += number
        for reason, number in progress.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + number


async def replay(make: Make, extent: ReplayExtent, report: Callable[[int], None]) -> dict[str, TopicCounts]:
    """Run a worker until all records of `extent` are counted and the last result is published.

    `report` is called repeatedly with the number of records applied so far. Returns the outcomes of the records of
    each topic. Raises the error that made the worker fail, and `BrokerError` if it makes no progress any more.
    """
    failure: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def on_fatal(error: BaseException) -> None:
        if not failure.done():
            failure.set_exception(error)

    streams = make(extent.ends, on_fatal)
    await streams.app.start()
    running: asyncio.Future[Any] = asyncio.ensure_future(_ReplayRun(streams, extent, report).run())
    try:
        await asyncio.wait({running, failure}, return_when=asyncio.FIRST_COMPLETED)
        counted: dict[str, TopicCounts] = (failure if failure.done() else running).result()
        return counted
    finally:
        running.cancel()
        _ = failure.cancel() or failure.exception()  # retrieved, so that asyncio does not log it
        await streams.app.stop()
        rmtree(streams.app.conf.datadir, ignore_errors=True)  # Faust makes one for each group and never uses it


class _ReplayRun:
    """The steps of a replay, each of which waits until the one before is complete."""

    def __init__(self, streams: StreamsWorker, extent: ReplayExtent, report: Callable[[int], None]) -> None:
        self._streams = streams
        self._extent = extent
        self._report = report
        self._panes: dict[int, int] = {}

    async def run(self) -> dict[str, TopicCounts]:
        await self._wait_while(self._unread_source)
        await asyncio.gather(*(runner.wait_until_durable() for runner in self._streams.stage1.running.values()))
        await self._settle_assessments()
        self._panes = await self._last_panes()
        await self._wait_while(self._unread_panes)
        await asyncio.gather(*(runner.finish() for runner in self._streams.stage2.running.values()))
        await self._wait_for_transactions(SCORES.name)
        return self._counts()

    async def _settle_assessments(self) -> None:
        runners = self._streams.stage1.running.values()
        watermarks_ms = [mark for runner in runners for mark in runner.state.watermarks.values()]
        newest_ms = max(watermarks_ms, default=NO_WATERMARK_MS)
        if newest_ms != NO_WATERMARK_MS:
            await asyncio.gather(*(runner.settle_assessments(newest_ms) for runner in runners))

    async def _wait_while(self, waiting: Callable[[], str | None]) -> None:
        progress = ProgressClock(monotonic)
        while unread := waiting():
            applied = self._applied_records()
            self._report(applied)
            if self._streams.app.crashed:
                why = self._streams.app.crash_reason
                raise BrokerError(f"the worker failed at {unread}: {why!r}; see `cxstream doctor`")
            progress.moved_to(applied + sum(runner.applied for runner in self._streams.stage2.running.values()))
            if progress.still_s > _STALLED_S:
                raise BrokerError(f"no record was read for {_STALLED_S:g} s, at {unread}; see `cxstream doctor`")
            await asyncio.sleep(_POLL_S)
        self._report(self._applied_records())

    def _unread_source(self) -> str | None:
        runners = self._streams.stage1.running
        for (topic, partition), end in self._extent.ends.items():
            applied = runners[partition].state.applied(topic) if partition in runners else -1
            if applied < end - 1:
                return f"{topic}/{partition}, {applied + 1} of {end}"
        progress = [p for runner in runners.values() for p in runner.state.progress.items()]
        sent = sum(one.outcomes["rekeyed"] for _, one in progress)
        received = sum(one.received for topic, one in progress if topic == REKEYED.name)
        return f"{REKEYED.name}, {received} of {sent}" if received < sent else None

    def _unread_panes(self) -> str | None:
        runners = self._streams.stage2.running
        for partition, last in self._panes.items():
            applied = runners[partition].applied if partition in runners else -1
            if applied < last:
                return f"{PANES.name}/{partition}, {applied + 1} of {last + 1}"
        return None

    async def _last_panes(self) -> dict[int, int]:
        tps = await self._wait_for_transactions(PANES.name)
        options = aiokafka_options(self._streams.settings)
        return {tp.partition: last for tp, last in (await last_records(options, tps)).items()}

    async def _wait_for_transactions(self, topic: str) -> list[TopicPartition]:
        """Wait until readers can read all of the topic; returns its partitions."""
        settings = self._streams.settings
        tps = [TopicPartition(settings.topic(topic), p) for p in range(settings.kafka.partitions)]
        async with OffsetReader(aiokafka_options(settings)) as offsets:
            await offsets.wait_for_transactions(tps, _STALLED_S)
        return tps

    def _applied_records(self) -> int:
        runners, firsts = self._streams.stage1.running, self._extent.firsts
        applied = [runners[p].state.applied(topic) + 1 - first for (topic, p), first in firsts.items() if p in runners]
        return sum(max(0, number) for number in applied)

    def _counts(self) -> dict[str, TopicCounts]:
        counted: dict[str, TopicCounts] = {}
        for runner in self._streams.stage1.running.values():
            for topic, progress in runner.state.progress.items():
                counted.setdefault(topic, TopicCounts()).add(progress)
        return counted
