"""The Faust app of a worker: chunks as messages, no tables, no web server, no settings from the environment."""

import asyncio
import gc
import logging
import signal
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.types import TP
from mode import ServiceT

from streams.errors import CxError
from streams.runtime.connection import faust_broker, faust_credentials
from streams.runtime.fatal import PunctualWorker, end_worker
from streams.runtime.transport import BatchTransport
from streams.settings import FAUST_ENV_PREFIX, Settings

log = logging.getLogger(__name__)

BUFFERED_CHUNKS = 4
"""Messages (chunks) that wait in a stream before its partitions are no longer fetched."""

_DAY_S = 86_400.0
_GC_THRESHOLDS = (100_000, 50, 100)
"""A chunk makes tens of thousands of short-lived objects and no cycles; Python's threshold of 700 costs a fifth of
the throughput."""


class _WithoutWeb(BootStrategy):
    """Starts no web server, whatever options `faust worker` gets: by default it opens 6066 on all interfaces."""

    enable_web = False


class BatchApp(faust.App):
    """An app whose messages are chunks, with services (`before`) that start before its consumer.

    `on_records_deleted(tp, position, start)` is called if a partition was to be read on at `position` but its log
    starts at `start`. `check` is called before anything starts; an error from it ends the worker.
    """

    BootStrategy = _WithoutWeb

    def __init__(self, *args: Any, before: Sequence[ServiceT] = (), **kwargs: Any) -> None:
        self._before = tuple(before)
        self.on_records_deleted: Callable[[TP, int, int], None] = _log_deleted_records
        self.check: Callable[[], object] | None = None
        super().__init__(*args, **kwargs)

    async def on_first_start(self) -> None:
        """Run the check, start the services that must be up before the consumer, and collect garbage less often."""
        gc.set_threshold(*_GC_THRESHOLDS)
        if self.check is not None:
            try:
                await asyncio.to_thread(self.check)
            except CxError as error:
                end_worker(error)
        await super().on_first_start()
        # On this signal Faust's worker opens a debugger, which waits for input for ever.
        self.loop.add_signal_handler(signal.SIGUSR2, log.info, "SIGUSR2 starts no debugger here")
        for service in self._before:
            await self.add_runtime_dependency(service)


def _log_deleted_records(tp: TP, position: int, start: int) -> None:
    log.error("%s/%d: record %d is gone, reading on at %d", tp.topic, tp.partition, position, start)


def batch_app(settings: Settings, role: str, before: Sequence[ServiceT] = ()) -> BatchApp:
    """An unstarted app for `role` ("streams" or "sinks"), whose group is `settings.group(role)`."""
    timeout = settings.kafka.session_timeout
    folder = Path(tempfile.gettempdir()) / f"cxstream-{settings.group(role)}"
    app = BatchApp(
        settings.group(role),
        before=before,
        env_prefix=FAUST_ENV_PREFIX,
        Worker=PunctualWorker,
        broker=faust_broker(settings),
        broker_credentials=faust_credentials(settings),
        broker_session_timeout=timeout,
        broker_heartbeat_interval=max(0.5, timeout / 5),
        broker_rebalance_timeout=max(timeout, 10),
        broker_max_poll_interval=_DAY_S,
        broker_commit_interval=0.5,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=4 << 20,
        producer_acks=-1,
        store="memory://",
        datadir=folder,
        topic_partitions=settings.kafka.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_buffer_maxsize=BUFFERED_CHUNKS,
        stream_wait_empty=False,
        web_enabled=False,
        web_bind="127.0.0.1",
        worker_redirect_stdouts=False,
    )
    app.transport = BatchTransport(app.conf.broker_consumer, app)
    return app
