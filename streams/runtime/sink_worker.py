"""The sinks worker: a consumer group of its own that stores every topic, and commits after the insert."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, cast

import faust
from faust.types import EventT, StreamT
from prometheus_client import CollectorRegistry

from schemas.catalogue import CHANGELOG, REJECTS, REKEYED, TOPICS
from schemas.reject import Reject
from sinks.errors import SinkError, SinkUnavailable
from sinks.sink import Sink, SinkRecord
from streams.errors import StoreError
from streams.runtime import metric_catalogue
from streams.runtime.checkpoint import Checkpointer, Output
from streams.runtime.clock import monotonic, now_ms
from streams.runtime.connection import aiokafka_options
from streams.runtime.failpoints import reach
from streams.runtime.fatal import end_worker
from streams.runtime.faust_app import batch_app
from streams.runtime.http import Listener
from streams.runtime.publishing import reject_output
from streams.runtime.transport import BatchConsumer
from streams.settings import Settings

log = logging.getLogger(__name__)

STORED = tuple(topic for topic in TOPICS if topic not in (CHANGELOG, REKEYED))
"""The topics that are stored."""

_NONE = 2**62
_WATCH_SECONDS = 1.0


class SinkMetrics:
    """What Prometheus reads about the sinks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.up = metric_catalogue.SINK_UP.gauge(registry)
        self.pending = metric_catalogue.SINK_PENDING.gauge(registry)
        self.inserted = metric_catalogue.SINK_INSERTED.counter(registry)
        self.rejected = metric_catalogue.SINK_REJECTED.counter(registry)
        self.age = metric_catalogue.SINK_OLDEST_PENDING.gauge(registry)
        self.lag = metric_catalogue.SINK_LAG.gauge(registry)
        self.latency = metric_catalogue.STAGE_LATENCY.histogram(registry).labels(metric_catalogue.STORED_STAGE)


class SinkWorker:
    """Feeds one sink from all topics; nothing is acknowledged before the flush that holds it returned."""

    def __init__(self, settings: Settings, sink: Sink, name: str) -> None:
        self.settings = settings
        self.registry = CollectorRegistry()
        self.metrics = SinkMetrics(self.registry)
        self.listener = Listener(
            settings.metrics.host, settings.metrics.sinks_port, self.registry, self.unhealthy, self.unready
        )
        self.app = batch_app(settings, "sinks", before=[self.listener])
        self._sink = sink
        self._name = name
        self._pending: list[tuple[str, EventT[Any]]] = []
        self._records = 0
        self._wake = asyncio.Event()
        self._warm = self._storing = False
        self._oldest = self._oldest_flushed = _NONE
        self.metrics.age.set_function(self.age)
        self._flushed_at = self._stored_at = self._taken_at = monotonic()
        self._inserts = 0
        self._rejects = Checkpointer(aiokafka_options(settings), None, settings.kafka.max_batch_bytes)
        self._connect()

    def unhealthy(self) -> str | None:
        """Why this worker should be restarted, if it should: a database that is down, and says so, is no reason."""
        self._note_inserts()
        if self._storing:
            still, what = monotonic() - self._stored_at, "nothing has been stored, or refused by the database"
        elif any(self._lag().values()):
            still, what = monotonic() - self._taken_at, "none has been taken"
        else:
            return None
        return f"records wait, and for {still:.0f} s {what}" if still > self.settings.metrics.stalled_after else None

    def unready(self) -> str | None:
        """Why nothing is being stored, if nothing is."""
        if not self._warm:
            return "connecting to the database"
        silent = monotonic() - self._flushed_at
        waiting = self._pending and silent > self.settings.metrics.stalled_after
        return f"nothing stored for {silent:.0f} s while {self._records} records wait" if waiting else None

    def age(self) -> float:
        """Seconds since the oldest record that was taken and is not stored came to its topic; 0 without one."""
        oldest = min(self._oldest, self._oldest_flushed)
        return 0.0 if oldest == _NONE else max(0, now_ms() - oldest) / 1000

    def _lag(self) -> dict[str, int]:
        """Records that have not been taken, by topic."""
        lag = {topic.name: 0 for topic in STORED}
        if not self.app.started:
            return lag
        names = {self.settings.topic(name): name for name in lag}
        consumer = cast(BatchConsumer, self.app.consumer)
        for tp, end in consumer.ends().items():
            reached = consumer.reached(tp.topic, tp.partition)
            if reached is not None:
                lag[names[tp.topic]] += max(0, end - max(reached.position, reached.delivered + 1))
        return lag

    def _note_inserts(self) -> None:
        if self._sink.inserts != self._inserts:
            self._inserts, self._stored_at = self._sink.inserts, monotonic()

    async def _watch(self) -> None:
        while not self.app.should_stop:
            lag = self._lag()
            for topic, records in lag.items():
                self.metrics.lag.labels(topic).set(records)
            if not any(lag.values()):
                self._taken_at = monotonic()
            self._note_inserts()
            await asyncio.sleep(_WATCH_SECONDS)

    def _connect(self) -> None:
        for topic in STORED:
            self._agent(self.settings.topic(topic.name), topic.name)
        self.app.task(self._run)
        self.app.task(self._watch)
        self.app.on_before_shutdown.connect(cast(Any, self._shutdown), weak=False)

    def _agent(self, name: str, catalogue_name: str) -> None:
        topic = self.app.topic(name, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")

        async def agent(stream: StreamT[bytes]) -> None:
            async for event in cast(faust.Stream[bytes], stream).noack().events():
                try:
                    await self._take(catalogue_name, event)
                except Exception as error:
                    end_worker(error)

        self.app.agent(topic, name=f"sink-{catalogue_name}", concurrency=1)(agent)

    async def _take(self, topic: str, event: Any) -> None:
        records = [SinkRecord(r.offset, r.timestamp, r.key, r.value) for r in event.value]
        while True:
            try:
                self._sink.add(topic, event.message.partition, records)
                break
            except SinkUnavailable as full:
                await asyncio.sleep(min(full.retry_after, 1.0))
        self._pending.append((topic, event))
        self._taken_at = monotonic()
        self._records += len(records)
        self._oldest = min(self._oldest, records[0].timestamp_ms if records[0].timestamp_ms >= 0 else now_ms())
        self.metrics.pending.labels(self._name).set(self._records)
        if self._records >= self.settings.clickhouse.flush_rows:
            self._wake.set()
        await asyncio.sleep(0)

    async def _run(self) -> None:
        try:
            await self._rejects.open()
            await self._until_warm()
            while not self.app.should_stop:
                await self._next_flush()
                if self._pending:
                    await self._flush()
        except SinkError as error:
            end_worker(StoreError(str(error)))
        except Exception as error:
            end_worker(error)

    async def _until_warm(self) -> None:
        while not self._warm:
            try:
                await asyncio.to_thread(self._sink.warm)
                self._warm = True
            except SinkUnavailable as error:
                await self._wait(error)

    async def _next_flush(self) -> None:
        try:
            async with asyncio.timeout(self.settings.clickhouse.flush_seconds):
                await self._wake.wait()
        except TimeoutError:
            pass  # what came in this interval is stored now
        self._wake.clear()

    async def _flush(self) -> None:
        pending, self._pending = self._pending, []
        records, self._records = self._records, 0
        self._oldest_flushed, self._oldest = self._oldest, _NONE
        self._storing, self._stored_at = True, monotonic()
        rejects = await self._stored()
        await self._publish(rejects)
        now = now_ms()
        for topic, event in pending:
            chunk = cast(Sequence[Any], event.value)
            if chunk[0].timestamp >= 0:
                self.metrics.latency.observe(max(0, now - chunk[0].timestamp) / 1000)
            self.metrics.inserted.labels(topic).inc(len(chunk))
            event.ack()
        self._oldest_flushed = _NONE
        self._storing = False
        self._flushed_at = self._taken_at = monotonic()
        self.metrics.up.labels(self._name).set(1)
        self.metrics.pending.labels(self._name).set(self._records)
        reach("after ack")
        log.debug("%d records stored", records)

    async def _stored(self) -> list[Reject]:
        while True:
            try:
                reach("before insert")
                rejects = await asyncio.to_thread(self._sink.flush)
                reach("after insert")
                return rejects
            except SinkUnavailable as error:
                await self._wait(error)

    async def _wait(self, error: SinkUnavailable) -> None:
        self.metrics.up.labels(self._name).set(0)
        self._stored_at = self._taken_at = monotonic()
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

    async def _shutdown(self, app: Any, *args: Any, **kwargs: Any) -> None:
        await self._rejects.close()
        await asyncio.to_thread(self._sink.close)
