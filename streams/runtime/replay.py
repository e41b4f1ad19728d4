"""A replay at work: both stages over what the source topics held when it began, to the end and no further."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from shutil import rmtree
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.catalogue import PANES, REKEYED, SCORES, SOURCE_TOPICS
from streams.core.stage1.outcomes import RECORD_OUTCOMES, TopicProgress
from streams.core.stage2.cell_state import SourcePartition
from streams.core.time.lateness import NO_WATERMARK_MS
from streams.errors import BrokerError
from streams.runtime.clock import monotonic
from streams.runtime.connection import aiokafka_options, connected
from streams.runtime.fatal import OnFatal
from streams.runtime.offsets import OffsetReader
from streams.runtime.opening import Ends
from streams.runtime.progress_clock import ProgressClock
from streams.runtime.worker import StreamsWorker
from streams.settings import Settings

STALLED_SECONDS = 60.0
"""A replay in which nothing moves for so long has failed."""

_POLL_SECONDS = 0.05
_FETCH_MS = 200
_BACK, _FURTHER = 2, 32

Make = Callable[[Ends, OnFatal], StreamsWorker]
"""Makes the worker of a replay, unstarted."""


@dataclass(frozen=True)
class ReplayExtent:
    """What a replay reads: of each source partition that has records, its first offset and the one after its last."""

    firsts: Mapping[SourcePartition, int]
    ends: Ends

    @property
    def records(self) -> int:
        """How many offsets lie between, which is how many records there are, apart from gaps."""
        return sum(end - self.firsts[source] for source, end in self.ends.items())


@dataclass
class TopicCounts:
    """What became of the records of one topic, and why some were rejected; see `docs/semantics.md`."""

    received: int = 0
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RECORD_OUTCOMES, 0))
    reasons: dict[str, int] = field(default_factory=dict)

    def add(self, progress: TopicProgress) -> None:
        """Count one partition too."""
        self.received += progress.received
        for outcome, number in progress.outcomes.items():
            self.outcomes[outcome] += number
        for reason, number in progress.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + number


async def extent_of(settings: Settings) -> ReplayExtent:
    """How far the source topics reach now. Raises `BrokerError`."""
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
    """The offset of each partition's last committed record; a partition without any is left out.

    The high watermark does not tell it: a log may end in transaction markers and aborted records.
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
        found = {tp: await _last(consumer, tp, starts[tp], ends[tp]) for tp in filled}
    except KafkaError as error:
        raise BrokerError(f"the ends of the topics cannot be read: {error!r}; see `cxstream doctor`") from error
    finally:
        await consumer.stop()
    return {tp: last for tp, last in found.items() if last is not None}


async def replay(make: Make, extent: ReplayExtent, report: Callable[[int], None]) -> dict[str, TopicCounts]:
    """Run a worker until everything in `extent` is counted and the last result is published.

    `report` is told again and again how many records have been applied. Returns what became of the
    records of each topic. Raises what made the worker fail, `BrokerError` when nothing moves any more.
    """
    failure: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def on_fatal(error: BaseException) -> None:
        if not failure.done():
            failure.set_exception(error)

    streams = make(extent.ends, on_fatal)
    await streams.app.start()
    running: asyncio.Future[Any] = asyncio.ensure_future(_Run(streams, extent, report).through())
    try:
        await asyncio.wait({running, failure}, return_when=asyncio.FIRST_COMPLETED)
        counted: dict[str, TopicCounts] = (failure if failure.done() else running).result()
        return counted
    finally:
        running.cancel()
        _ = failure.cancel() or failure.exception()  # asked for, so that a second one is not logged
        await streams.app.stop()
        rmtree(streams.app.conf.datadir, ignore_errors=True)  # Faust makes one for each group, and never uses it


class _Run:
    """The steps of a replay, each waited for."""

    def __init__(self, streams: StreamsWorker, extent: ReplayExtent, report: Callable[[int], None]) -> None:
        self._streams = streams
        self._extent = extent
        self._report = report
        self._panes: dict[int, int] = {}

    async def through(self) -> dict[str, TopicCounts]:
        await self._until(self._waiting_sources)
        await asyncio.gather(*(runner.wait_until_durable() for runner in self._streams.stage1.running.values()))
        await self._settle_risks()
        self._panes = await self._last_panes()
        await self._until(self._waiting_panes)
        await asyncio.gather(*(runner.finish() for runner in self._streams.stage2.running.values()))
        await self._settled(SCORES.name)
        return self._counted()

    async def _settle_risks(self) -> None:
        runners = self._streams.stage1.running.values()
        newest = max((mark for runner in runners for mark in runner.state.watermarks.values()), default=NO_WATERMARK_MS)
        if newest != NO_WATERMARK_MS:
            await asyncio.gather(*(runner.settle_assessments(newest) for runner in runners))

    async def _until(self, waiting: Callable[[], str | None]) -> None:
        progress = ProgressClock(monotonic)
        while what := waiting():
            applied = self._applied()
            self._report(applied)
            if self._streams.app.crashed:
                why = self._streams.app.crash_reason
                raise BrokerError(f"the worker broke down at {what}: {why!r}; see `cxstream doctor`")
            progress.moved_to(applied + sum(runner.applied for runner in self._streams.stage2.running.values()))
            if progress.still_s > STALLED_SECONDS:
                raise BrokerError(f"nothing was read for {STALLED_SECONDS:g} s, at {what}; see `cxstream doctor`")
            await asyncio.sleep(_POLL_SECONDS)
        self._report(self._applied())

    def _waiting_sources(self) -> str | None:
        runners = self._streams.stage1.running
        for (topic, partition), end in self._extent.ends.items():
            applied = runners[partition].state.applied(topic) if partition in runners else -1
            if applied < end - 1:
                return f"{topic}/{partition}, {applied + 1} of {end}"
        progress = [p for runner in runners.values() for p in runner.state.progress.items()]
        sent = sum(one.outcomes["rekeyed"] for _, one in progress)
        received = sum(one.received for topic, one in progress if topic == REKEYED.name)
        return f"{REKEYED.name}, {received} of {sent}" if received < sent else None

    def _waiting_panes(self) -> str | None:
        runners = self._streams.stage2.running
        for partition, last in self._panes.items():
            applied = runners[partition].applied if partition in runners else -1
            if applied < last:
                return f"{PANES.name}/{partition}, {applied + 1} of {last + 1}"
        return None

    async def _last_panes(self) -> dict[int, int]:
        tps = await self._settled(PANES.name)
        options = aiokafka_options(self._streams.settings)
        return {tp.partition: last for tp, last in (await last_records(options, tps)).items()}

    async def _settled(self, topic: str) -> list[TopicPartition]:
        """The topic's partitions, once readers may read all of it."""
        settings = self._streams.settings
        tps = [TopicPartition(settings.topic(topic), p) for p in range(settings.kafka.partitions)]
        async with OffsetReader(aiokafka_options(settings)) as offsets:
            await offsets.wait_for_transactions(tps, STALLED_SECONDS)
        return tps

    def _applied(self) -> int:
        runners, firsts = self._streams.stage1.running, self._extent.firsts
        applied = [runners[p].state.applied(topic) + 1 - first for (topic, p), first in firsts.items() if p in runners]
        return sum(max(0, number) for number in applied)

    def _counted(self) -> dict[str, TopicCounts]:
        counted: dict[str, TopicCounts] = {}
        for runner in self._streams.stage1.running.values():
            for topic, progress in runner.state.progress.items():
                counted.setdefault(topic, TopicCounts()).add(progress)
        return counted


async def _last(consumer: Any, tp: TopicPartition, start: int, end: int) -> int | None:
    back = _BACK
    while True:
        first = max(start, end - back)
        last = await _newest(consumer, tp, first, end)
        if last is not None or first == start:
            return last
        back *= _FURTHER


async def _newest(consumer: Any, tp: TopicPartition, first: int, end: int) -> int | None:
    consumer.assign([tp])
    consumer.seek(tp, first)
    last, deadline = None, monotonic() + STALLED_SECONDS
    while await consumer.position(tp) < end:
        for records in (await consumer.getmany(tp, timeout_ms=_FETCH_MS)).values():
            last = max((record.offset for record in records if record.offset < end), default=last)
        if monotonic() > deadline:
            raise BrokerError(f"{tp.topic}/{tp.partition}: its end at {end} cannot be read; see `cxstream doctor`")
    return last
