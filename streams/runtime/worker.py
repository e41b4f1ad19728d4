"""The streams worker: an agent for each source topic and one for the panes, and what they share."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.types import TP, StreamT
from prometheus_client import CollectorRegistry

from schemas.catalogue import PANES, REKEYED, SOURCE_TOPICS
from streams.core.stage1.definition import Definition
from streams.errors import HoleError
from streams.runtime.collectors import register_collectors
from streams.runtime.connection import aiokafka_options, transactions_supported
from streams.runtime.fatal import end_worker
from streams.runtime.faust_app import batch_app
from streams.runtime.http import Listener
from streams.runtime.churn_model_watch import ChurnModelWatch
from streams.runtime.offsets import OffsetReader
from streams.runtime.partitions import Partitions, Runner
from streams.runtime.publishing import Publisher
from streams.runtime.stage1_runner import LogPosition, Stage1Runner
from streams.runtime.stage2_runner import Stage2Runner
from streams.runtime.telemetry import Telemetry
from streams.runtime.transport import BatchConsumer
from streams.settings import Settings

log = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
"""How often it is noted that partitions have been read to their ends."""

Ends = Mapping[tuple[str, int], int]


class StreamsWorker:
    """Both stages of one worker.

    `ends` (by source partition, the offset after its last record) makes it a replay of what lies
    before. `failed` is told of an error that makes going on impossible.
    """

    def __init__(
        self,
        settings: Settings,
        definition: Definition,
        ends: Ends | None = None,
        failed: Callable[[BaseException], None] = end_worker,
    ) -> None:
        self.settings = settings
        self._failed = failed
        self.telemetry = Telemetry(CollectorRegistry())
        register_collectors(self.telemetry)
        self.stage1 = Partitions(self._intake_topics, self._open_intake, failed)
        self.stage2 = Partitions([settings.topic(PANES.name)], self._open_rollup, failed)
        self.listener = Listener(
            settings.metrics.host, settings.metrics.streams_port, self.telemetry.registry, self.unhealthy, self.unready
        )
        self.app = batch_app(settings, "streams", before=[self.listener])
        self._definition = definition
        self._ends = ends
        self._options = aiokafka_options(settings)
        self._publisher = Publisher(settings)
        self._model = ChurnModelWatch.of(settings, definition.churn_model)
        self._transactional: bool | None = None
        self._asking = asyncio.Lock()
        self.telemetry.high_watermarks = self.high_watermarks
        self.telemetry.model = self._model
        self._connect()

    @property
    def _intake_topics(self) -> list[str]:
        return [self.settings.topic(topic.name) for topic in (*SOURCE_TOPICS, REKEYED)]

    def unhealthy(self) -> str | None:
        """Why this worker should be restarted, if it should."""
        after = self.settings.metrics.stalled_after
        stalled = self.telemetry.stalled(after)
        where = ", ".join(f"stage {stage} of partition {partition}" for stage, partition in stalled)
        return f"{where}: input waits and nothing has moved for {after} s" if stalled else None

    def unready(self) -> str | None:
        """Why this worker does not yet answer for its partitions, if it does not."""
        loading = sorted({*self.stage1.loading, *self.stage2.loading})
        if loading:
            return f"reading the state of partitions {loading}"
        return None if self.stage1.running else "no partitions assigned"

    def high_watermarks(self) -> dict[TP, int]:
        """Where the logs of the assigned partitions end, as the last fetch saw it."""
        names = {self.settings.topic(topic.name): topic.name for topic in (*SOURCE_TOPICS, REKEYED, PANES)}
        ends = cast(BatchConsumer, self.app.consumer).ends() if self.app.started else {}
        return {TP(names[tp.topic], tp.partition): end for tp, end in ends.items() if tp.topic in names}

    def _consumer(self) -> AIOKafkaConsumer | None:
        thread = getattr(self.app.consumer, "_thread", None) if self.app.started else None
        return getattr(thread, "_consumer", None)

    def _connect(self) -> None:
        for topic in (*SOURCE_TOPICS, REKEYED):
            self._agent(self.settings.topic(topic.name), topic.name, self._take_events)
        self._agent(self.settings.topic(PANES.name), PANES.name, self._take_panes)
        self.app.on_records_deleted = self._lost
        self.app.task(self._watch)
        if self._ends is None:
            self.app.task(self._renew)
        self.app.on_partitions_assigned.connect(cast(Any, self._assigned), weak=False)
        self.app.on_partitions_revoked.connect(cast(Any, self._revoked), weak=False)
        self.app.on_before_shutdown.connect(cast(Any, self._shutdown), weak=False)

    def _agent(self, name: str, catalogue_name: str, take: Any) -> None:
        topic = self.app.topic(name, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")

        async def agent(stream: StreamT[bytes]) -> None:
            async for event in cast(faust.Stream[bytes], stream).noack().events():
                try:
                    await take(catalogue_name, event)
                except Exception as error:
                    self._failed(error)

        self.app.agent(topic, name=f"agent-{catalogue_name}", concurrency=1)(agent)

    def _lost(self, tp: TP, position: int, start: int) -> None:
        # While the state is being read, opening judges this.
        runner = self.stage1.running.get(tp.partition)
        if runner is None or tp.topic not in self._intake_topics:
            log.info("%s/%d: no record %d any more, going on at %d", tp.topic, tp.partition, position, start)
        else:
            runner.on_records_deleted(tp.topic, position, start)

    async def _watch(self) -> None:
        while not self.app.should_stop:
            self._pass_gaps(cast(BatchConsumer, self.app.consumer))
            self.telemetry.watch()
            await asyncio.sleep(WATCH_SECONDS)

    async def _renew(self) -> None:
        while not self.app.should_stop:
            await asyncio.sleep(WATCH_SECONDS)
            if self._model is not None and (model := self._model.poll()) is not None:
                self._definition = replace(self._definition, churn_model=model)
            for runner in list(self.stage1.running.values()):
                runner.state.assessments.model = self._definition.churn_model
                runner.renew_assessments()

    def _pass_gaps(self, consumer: BatchConsumer) -> None:
        for partition, runner in self.stage1.running.items():
            for topic in (*SOURCE_TOPICS, REKEYED):
                reached = consumer.reached(self.settings.topic(topic.name), partition)
                if reached is not None:
                    runner.advance_past_gap(topic.name, *reached)
        for partition, rollup in self.stage2.running.items():
            reached = consumer.reached(self.settings.topic(PANES.name), partition)
            if reached is not None:
                rollup.advance_past_gap(*reached)

    async def _take_events(self, topic: str, event: Any) -> None:
        runner = await self.stage1.get(event.message.partition)
        if runner is not None and self._is_current(event) and self._is_wanted(topic, event):
            await runner.take(topic, event)

    async def _take_panes(self, topic: str, event: Any) -> None:
        runner = await self.stage2.get(event.message.partition)
        if runner is not None and self._is_current(event):
            await runner.take(event)

    def _is_current(self, event: Any) -> bool:
        # What was fetched before a rebalance is fetched again after it; applying it now could leave a hole.
        return bool(event.message.generation_id == self.app.consumer_generation_id)

    def _is_wanted(self, topic: str, event: Any) -> bool:
        if self._ends is None or topic == REKEYED.name:
            return True
        end = self._ends.get((topic, event.message.partition), 0)
        event.value = [record for record in event.value if record.offset < end]
        return bool(event.value)

    def _rekeys(self) -> bool:
        progress = [p for runner in self.stage1.running.values() for p in runner.state.progress.values()]
        return any(one.outcomes["rekeyed"] for one in progress)

    async def _assigned(self, app: Any, assigned: set[TP], **kwargs: Any) -> None:
        await self.stage1.assigned(assigned)
        await self.stage2.assigned(assigned)

    async def _revoked(self, app: Any, revoked: set[TP], **kwargs: Any) -> None:
        await self.stage1.revoked()
        await self.stage2.revoked()

    async def _shutdown(self, app: Any, *args: Any, **kwargs: Any) -> None:
        await self.stage1.close()
        await self.stage2.close()

    async def _is_transactional(self) -> bool:
        async with self._asking:
            if self._transactional is None:
                self._transactional = await transactions_supported(self.settings)
                if not self._transactional:
                    log.warning("the broker has no transactions: this must be the only worker")
            return self._transactional

    async def _open_intake(self, partition: int) -> Stage1Runner:
        runner = Stage1Runner(
            partition,
            self._definition,
            self.settings,
            self._options,
            self._publisher,
            self.telemetry,
            await self._is_transactional(),
            self.stage1.failed,
        )
        await _opened(runner, runner.open(lambda: self._marks(partition), lambda: self._ends_of(partition)))
        return runner

    def _logs(self, partition: int) -> dict[TopicPartition, str]:
        return {TopicPartition(self.settings.topic(t.name), partition): t.name for t in (*SOURCE_TOPICS, REKEYED)}

    async def _marks(self, partition: int) -> dict[str, LogPosition]:
        names = self._logs(partition)
        async with OffsetReader(self._options) as reader:
            starts = await reader.starts(names)
        committed = await self._committed(list(names))
        return {name: LogPosition(starts[tp], committed[tp]) for tp, name in names.items()}

    async def _ends_of(self, partition: int) -> dict[str, int]:
        names = self._logs(partition)
        async with OffsetReader(self._options) as reader:
            ends = await reader.ends(names, "read_uncommitted")
        return {name: ends[tp] for tp, name in names.items()}

    async def _committed(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        consumer = self._consumer()
        if consumer is None:
            raise HoleError("the consumer is gone; its offsets cannot be compared with the state")
        thread = cast(BatchConsumer, self.app.consumer)._thread
        found = {tp: await thread.call_thread(consumer.committed, tp) for tp in tps}
        return {tp: -1 if offset is None else offset for tp, offset in found.items()}

    async def _open_rollup(self, partition: int) -> Stage2Runner:
        runner = Stage2Runner(
            partition,
            self._definition,
            self.settings,
            self._options,
            self._publisher,
            self.telemetry,
            await self._is_transactional(),
            self.stage2.failed,
            self._ends,
            self._rekeys,
        )
        await _opened(runner, runner.open())
        return runner


async def _opened(runner: Runner, opening: Awaitable[None]) -> None:
    try:
        await opening
    except BaseException:
        await runner.close(0.0)
        raise
