"""An embedded broker and a database in a folder, for one run of the same workers as in production."""

import asyncio
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Self
from urllib.parse import quote

import msgspec
from aiokafka import TopicPartition

from schemas.catalogue import CHANGELOG, REKEYED, TOPICS
from streams.errors import StoreError
from streams.local.embedded_broker import EmbeddedBroker
from streams.local.supervision import Child, child_environment
from streams.runtime.clock import monotonic
from streams.runtime.connection import aiokafka_options
from streams.runtime.offsets import high_watermarks
from streams.runtime.progress_clock import ProgressClock
from streams.runtime.topics import admin, create_topics
from streams.settings import DEFAULT_FILE, App, ClickHouse, Kafka, Settings, Sinks
from streams.settings.rendering import to_toml

STALLED_S = 60.0
"""The database has failed when it has stored no record for so long while records wait."""

_POLL_S = 0.1
_SESSION_TIMEOUT_S = 2  # the embedded broker delays a new group by half of it
_BATCH_BYTES = 16_000_000  # a checkpoint is one batch here, so larger batches mean fewer checkpoints


class Sandbox:
    """The embedded broker with all topics, and a chDB database that a sinks worker fills.

    A context manager: entering starts the broker and the migrations, leaving stops every process.
    `settings` are the given ones with the addresses of this broker and database: windows, cuts, lateness,
    owners and the like stay, the sections app, kafka and clickhouse do not. Raises `CxError`.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.folder = folder
        self._broker = EmbeddedBroker()
        self._given_settings = settings
        self._migrations: Child | None = None
        self._sinks: Child | None = None

    def __enter__(self) -> Self:
        self._broker.start()
        try:
            self.settings = _local_settings(self._given_settings, self._broker.address, self.folder)
            self._settings_file.write_text(to_toml(self.settings), encoding="utf-8")
            create_topics(self.settings)
            self._migrations = self._child("migrate", "migrate")
        except BaseException:
            self._broker.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in filter(None, (self._sinks, self._migrations)):
            child.terminate()
            child.wait(STALLED_S)
        self._broker.stop()

    @property
    def _settings_file(self) -> Path:
        return self.folder / DEFAULT_FILE

    async def start_storing(self) -> None:
        """Start the worker that stores every topic in the database, once the database is migrated."""
        await asyncio.to_thread(self._finish_migrations)
        self._sinks = self._child("sinks", "worker", "--only", "sinks")

    async def wait_until_stored(self) -> None:
        """Wait until the database has all records that are in the topics now; raises `CxError` when it stalls."""
        ends, progress = await self._end_offsets(), ProgressClock(monotonic)
        while (waiting := await asyncio.to_thread(self._waiting_records, ends)) > 0:
            if self._sinks is not None and self._sinks.exit_code is not None:
                raise self._sinks.failure()
            progress.moved_to(waiting)
            if progress.still_s > STALLED_S:
                raise StoreError(
                    f"{self.settings.clickhouse.url}: no record was stored for {STALLED_S:g} s while "
                    f"{waiting} wait; see {self.folder / 'sinks.log'}"
                )
            await asyncio.sleep(_POLL_S)

    def _finish_migrations(self) -> None:
        if self._migrations is not None:
            self._migrations.wait(STALLED_S)
            if self._migrations.exit_code:
                raise self._migrations.failure()

    async def _end_offsets(self) -> dict[tuple[str, int], int]:
        names = [self.settings.topic(topic.name) for topic in TOPICS if topic not in (CHANGELOG, REKEYED)]
        tps = [TopicPartition(name, p) for name in names for p in range(self.settings.kafka.partitions)]
        watermarks = await high_watermarks(aiokafka_options(self.settings), tps, "read_committed")
        return {(tp.topic, tp.partition): end for tp, end in watermarks.items()}

    def _waiting_records(self, ends: dict[tuple[str, int], int]) -> int:
        group = self.settings.group("sinks")
        with admin(self.settings) as client:
            committed = client.list_group_offsets({group: None})[group]
        stored = {(tp.topic, tp.partition): entry.offset for tp, entry in committed.items()}
        return sum(max(0, end - max(0, stored.get(partition, 0))) for partition, end in ends.items())

    def _child(self, name: str, *arguments: str) -> Child:
        return Child(
            name,
            [*arguments, "--config", str(self._settings_file)],
            env=child_environment(self.folder),
            log=self.folder / f"{name}.log",
        )


def _local_settings(settings: Settings, broker: str, folder: Path) -> Settings:
    replace = msgspec.structs.replace
    kafka = Kafka(
        brokers=broker,
        transactions="off",
        session_timeout=_SESSION_TIMEOUT_S,
        max_batch_bytes=_BATCH_BYTES,
        partitions=settings.kafka.partitions,
    )
    return replace(
        settings,
        app=App(id=f"sandbox-{token_hex(4)}", mode="replay"),
        kafka=kafka,
        clickhouse=ClickHouse(url=f"chdb://{quote(str((folder / 'clickhouse').resolve()))}", flush_seconds=0.2),
        sinks=Sinks(),  # what is tried here must not get into the files of a deployment
        metrics=replace(settings.metrics, streams_port=0, sinks_port=0),
    )
