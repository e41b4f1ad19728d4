"""The worker of one sink: a consumer group of its own that stores the sink's topics, and commits after the flush."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, cast

import faust
from faust.types import EventT, StreamT
from prometheus_client import CollectorRegistry

from schemas.catalogue import REJECTS
from schemas.reject import Reject
from sinks.errors import SinkError, SinkUnavailable
from sinks.sink import SinkRecord
from streams.errors import StoreError
from streams.runtime import metric_catalogue
from streams.runtime.checkpoint import Checkpointer, Output
from streams.runtime.clock import now_ms
from streams.runtime.connection import aiokafka_options
from streams.runtime.failpoints import reach
from streams.runtime.fatal import end_worker
from streams.runtime.faust_app import batch_app
from streams.runtime.http import Listener
from streams.runtime.publishing import reject_output
from streams.runtime.sink_progress import SinkProgress
from streams.runtime.transport import BatchConsumer
from streams.settings import Settings
from streams.settings.configured_sinks import ConfiguredSink

log = logging.getLogger(__name__)

_WATCH_SECONDS = 1.0
_FULL_BUFFER_SECONDS = 1.0


class SinkMetrics:
    """The metrics of a sink worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.up = metric_catalogue.SINK_UP.gauge(registry)
        self.pending = metric_catalogue.SINK_PENDING.gauge(registry)
        self.inserted = metric_catalogue.SINK_INSERTED.counter(registry)
        self.rejected = metric_catalogue.SINK_REJECTED.counter(registry)
        self.age = metric_catalogue.SINK_OLDEST_PENDING.gauge(registry)
        self.lag = metric_catalogue.SINK_LAG.gauge(registry)
        self.latency = metric_catalogue.STAGE_LATENCY.histogram(registry).labels(metric_catalogue.STORED_STAGE)


class SinkWorker:
    """Reads the topics of one sink and stores them in it.

    A record is acknowledged after a flush that began after it was added. A store that is unavailable is waited
    for without end, and the worker stays in its group meanwhile; a `SinkError` ends the worker.
    """

    def __init__(self, settings: Settings, configured: ConfiguredSink) -> None:
        self.settings = settings
        self.registry = CollectorRegistry()
        self.metrics = SinkMetrics(self.registry)
        self._configured = configured
        self._sink = configured.build()
        self._progress = SinkProgress(self._sink, self._lag_by_topic, settings.metrics.stalled_after)
        self.metrics.age.set_function(self._progress.age_s)
        self.listener = Listener(
            settings.metrics.host, configured.port, self.registry, self._progress.unhealthy, self._progress.unready
        )
        self.app = batch_app(settings, self._sink.role(), before=[self.listener])
        self._pending: list[tuple[str, EventT[Any]]] = []
        self._flush_early = asyncio.Event()
        self._rejects = Checkpointer(aiokafka_options(settings), None, settings.kafka.max_batch_bytes)
        self._connect()

    def _connect(self) -> None:
        for topic in self._sink.topics:
            self._agent(self.settings.topic(topic), topic)
        self.app.task(self._run)
        self.app.task(self._watch)
        self.app.on_before_shutdown.connect(cast(Any, self._shutdown), weak=False)

    def _agent(self, name: str, catalogue_name: str) -> None:
        topic = self.app.topic(name, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")

        async def agent(stream: StreamT[bytes]) -> None:
            async for event in cast(faust.Stream[bytes], stream).noack().events():
                try:
                    await self._add(catalogue_name, event)
                except Exception as error:
                    end_worker(error)

        self.app.agent(topic, name=f"sink-{catalogue_name}", concurrency=1)(agent)

    async def _add(self, topic: str, event: Any) -> None:
        records = [SinkRecord(r.offset, r.timestamp, r.key, r.value) for r in event.value]
        while True:
            try:
                self._sink.add(topic, event.message.partition, records)
                break
            except SinkUnavailable as full:
                await asyncio.sleep(min(full.retry_after, _FULL_BUFFER_SECONDS))
        self._pending.append((topic, event))
        self._progress.read(len(records), records[0].timestamp_ms)
        self._show_pending()
        if self._progress.pending_records >= self._configured.flush_rows:
            self._flush_early.set()
        await asyncio.sleep(0)

    async def _run(self) -> None:
        try:
            await self._rejects.open()
            await self._warm_up()
            while not self.app.should_stop:
                await self._next_flush()
                if self._pending:
                    await self._flush()
        except SinkError as error:
            end_worker(StoreError(str(error)))
        except Exception as error:
            end_worker(error)

    async def _warm_up(self) -> None:
        while not self._progress.warm:
            try:
                await asyncio.to_thread(self._sink.warm)
                self._progress.warm = True
            except SinkUnavailable as error:
                await self._wait(error)

    async def _next_flush(self) -> None:
        try:
            async with asyncio.timeout(self._configured.flush_seconds):
                await self._flush_early.wait()
        except TimeoutError:
            pass  # the records of this interval are stored now
        self._flush_early.clear()

    async def _flush(self) -> None:
        pending, self._pending = self._pending, []
        self._progress.flush_began()
        rejects = await self._store()
        await self._publish(rejects)
        for topic, event in pending:
            self._acknowledge(topic, event)
        self._progress.flush_ended()
        self.metrics.up.labels(self._sink.name).set(1)
        self._show_pending()
        reach("after ack")

    def _acknowledge(self, topic: str, event: EventT[Any]) -> None:
        chunk = cast(Sequence[Any], event.value)
        if chunk[0].timestamp >= 0:
            self.metrics.latency.observe(max(0, now_ms() - chunk[0].timestamp) / 1000)
        self.metrics.inserted.labels(self._sink.name, topic).inc(len(chunk))
        event.ack()

    async def _store(self) -> list[Reject]:
        while True:
            try:
                reach("before insert")
                rejects = await asyncio.to_thread(self._sink.flush)
                reach("after insert")
                return rejects
            except SinkUnavailable as error:
                await self._wait(error)

    async def _wait(self, error: SinkUnavailable) -> None:
        self.metrics.up.labels(self._sink.name).set(0)
        self._progress.store_refused()
        log.warning("%s; trying again in %.1f s, nothing is lost", error, error.retry_after)
        await asyncio.sleep(error.retry_after)

    async def _publish(self, rejects: Sequence[Reject]) -> None:
        topic = self.settings.topic(REJECTS.name)
        outputs: list[Output] = []
        for reject in rejects:
            self.metrics.rejected.labels(reject.topic, reject.reason).inc()
            outputs.append(reject_output(topic, reject))
        if outputs:
            await self._rejects.write(outputs, topic, 0, [])

    async def _watch(self) -> None:
        while not self.app.should_stop:
            for topic, records in self._lag_by_topic().items():
                self.metrics.lag.labels(topic).set(records)
            self._progress.watch()
            await asyncio.sleep(_WATCH_SECONDS)

    def _lag_by_topic(self) -> dict[str, int]:
        """The records that are not read yet."""
        lag = dict.fromkeys(self._sink.topics, 0)
        if not self.app.started:
            return lag
        names = {self.settings.topic(name): name for name in lag}
        consumer = cast(BatchConsumer, self.app.consumer)
        for tp, end in consumer.ends().items():
            reached = consumer.read_position(tp.topic, tp.partition)
            if reached is not None:
                lag[names[tp.topic]] += max(0, end - max(reached.position, reached.delivered + 1))
        return lag

    def _show_pending(self) -> None:
        self.metrics.pending.labels(self._sink.name).set(self._progress.pending_records)

    async def _shutdown(self, app: Any, *args: Any, **kwargs: Any) -> None:
        await self._rejects.close()
        await asyncio.to_thread(self._sink.close)
