"""The streams worker: an agent for each source topic and one for the panes, over the partitions of both stages."""

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import Any, cast

import faust
from faust.types import TP, StreamT
from prometheus_client import CollectorRegistry

from schemas.catalogue import PANES, REKEYED, SOURCE_TOPICS
from streams.core.stage1.definition import Definition
from streams.runtime.churn_model_watch import ChurnModelWatch
from streams.runtime.collectors import register_collectors
from streams.runtime.fatal import OnFatal, end_worker
from streams.runtime.faust_app import batch_app
from streams.runtime.health import StreamsHealth, high_watermarks
from streams.runtime.http import Listener
from streams.runtime.opening import Ends, PartitionOpener, committed_offsets
from streams.runtime.partitions import Partitions
from streams.runtime.telemetry import Telemetry
from streams.runtime.transport import BatchConsumer
from streams.settings import Settings

log = logging.getLogger(__name__)

WATCH_S = 1.0
"""How often gaps at the ends of logs, waiting input and the age of assessments are looked at."""


class StreamsWorker:
    """Both stages of one worker, as a Faust app that is not started yet.

    With `ends` it is a replay of the records before them. `on_fatal` is called with an error after which the
    worker cannot go on.
    """

    def __init__(
        self, settings: Settings, definition: Definition, ends: Ends | None = None, on_fatal: OnFatal = end_worker
    ) -> None:
        self.settings = settings
        self._on_fatal = on_fatal
        self._ends = ends
        self._sources = {settings.topic(topic.name): topic.name for topic in (*SOURCE_TOPICS, REKEYED)}
        self._panes = settings.topic(PANES.name)
        self._model_watch = ChurnModelWatch.of(settings, definition.churn_model)
        self.telemetry = Telemetry(CollectorRegistry())
        self.telemetry.model = self._model_watch
        register_collectors(self.telemetry)
        self._opener = PartitionOpener(
            settings,
            definition,
            self.telemetry,
            committed=lambda tps: committed_offsets(self.app, tps),
            ends=ends,
            hold_results=self._has_rekeyed,
        )
        self.stage1 = Partitions(self._sources, self._opener.open_stage1, on_fatal)
        self.stage2 = Partitions({self._panes}, self._opener.open_stage2, on_fatal)
        health = StreamsHealth(self.telemetry, self.stage1, self.stage2, settings.metrics.stalled_after)
        self.listener = Listener(
            settings.metrics.host,
            settings.metrics.streams_port,
            self.telemetry.registry,
            health.unhealthy,
            health.unready,
        )
        self.app = batch_app(settings, "streams", before=[self.listener])
        self.telemetry.high_watermarks = partial(high_watermarks, self.app, {**self._sources, self._panes: PANES.name})
        self._connect()

    def _connect(self) -> None:
        for name, topic in self._sources.items():
            self._agent(name, topic, self._take_events)
        self._agent(self._panes, PANES.name, self._take_panes)
        self.app.on_records_deleted = self._on_records_deleted
        self.app.task(self._watch)
        if self._ends is None:
            self.app.task(self._renew_assessments)
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
                    self._on_fatal(error)

        self.app.agent(topic, name=f"agent-{catalogue_name}", concurrency=1)(agent)

    async def _take_events(self, topic: str, event: Any) -> None:
        runner = await self.stage1.get(event.message.partition)
        if runner is not None and self._is_current(event) and self._cut_to_ends(topic, event):
            await runner.take(topic, event)

    async def _take_panes(self, topic: str, event: Any) -> None:
        runner = await self.stage2.get(event.message.partition)
        if runner is not None and self._is_current(event):
            await runner.take(event)

    def _is_current(self, event: Any) -> bool:
        # Records fetched before a rebalance are fetched again after it; applying them now could leave a hole.
        return bool(event.message.generation_id == self.app.consumer_generation_id)

    def _cut_to_ends(self, topic: str, event: Any) -> bool:
        """Drop the records of a chunk that a replay does not read; returns whether any are left."""
        if self._ends is None or topic == REKEYED.name:
            return True
        end = self._ends.get((topic, event.message.partition), 0)
        event.value = [record for record in event.value if record.offset < end]
        return bool(event.value)

    def _has_rekeyed(self) -> bool:
        """Whether records were re-keyed: watermarks then do not prove that all records before them are counted."""
        progress = [p for runner in self.stage1.running.values() for p in runner.state.progress.values()]
        return any(one.outcomes["rekeyed"] for one in progress)

    def _on_records_deleted(self, tp: TP, position: int, start: int) -> None:
        runner = self.stage1.running.get(tp.partition)
        if runner is None or tp.topic not in self._sources:  # opening a partition looks for holes itself
            log.info("%s/%d: record %d is gone, reading on at %d", tp.topic, tp.partition, position, start)
        else:
            runner.on_records_deleted(self._sources[tp.topic], position, start)

    async def _watch(self) -> None:
        while not self.app.should_stop:
            self._advance_past_gaps(cast(BatchConsumer, self.app.consumer))
            self.telemetry.watch()
            await asyncio.sleep(WATCH_S)

    def _advance_past_gaps(self, consumer: BatchConsumer) -> None:
        for partition, stage1 in self.stage1.running.items():
            for name, topic in self._sources.items():
                position = consumer.read_position(name, partition)
                if position is not None:
                    stage1.advance_past_gap(topic, *position)
        for partition, stage2 in self.stage2.running.items():
            position = consumer.read_position(self._panes, partition)
            if position is not None:
                stage2.advance_past_gap(*position)

    async def _renew_assessments(self) -> None:
        while not self.app.should_stop:
            await asyncio.sleep(WATCH_S)
            if self._model_watch is not None and (model := self._model_watch.poll()) is not None:
                self._opener.definition = replace(self._opener.definition, churn_model=model)
            for runner in list(self.stage1.running.values()):
                runner.state.assessments.model = self._opener.definition.churn_model
                runner.renew_assessments()

    async def _assigned(self, app: Any, assigned: set[TP], **kwargs: Any) -> None:
        await self.stage1.assigned(assigned)
        await self.stage2.assigned(assigned)

    async def _revoked(self, app: Any, revoked: set[TP], **kwargs: Any) -> None:
        await self.stage1.revoked()
        await self.stage2.revoked()

    async def _shutdown(self, app: Any, *args: Any, **kwargs: Any) -> None:
        await self.stage1.close()
        await self.stage2.close()
