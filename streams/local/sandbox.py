"""A broker and a database of one's own in a folder, for one run: what is real elsewhere is real here."""

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
from streams.local.supervision import Child, environment
from streams.runtime.clock import monotonic
from streams.runtime.connection import aiokafka_options
from streams.runtime.offsets import high_watermarks
from streams.runtime.topics import admin, create_topics
from streams.settings import App, ClickHouse, Kafka, Settings
from streams.settings.rendering import to_toml

STORED_SECONDS = 60.0
"""The database has failed when it has stored nothing for so long while records wait."""

_POLL_SECONDS = 0.1
_SESSION_SECONDS = 2  # the embedded broker lets a group wait for half of it
_BATCH_BYTES = 16_000_000  # a checkpoint is one batch here: the larger, the fewer


class Sandbox:
    """The embedded broker with all topics, and a chDB database that a sinks worker fills.

    A context manager: entering starts the broker and the migrations, leaving ends every process.
    `settings` are those given, with the addresses of here; only windows, lateness, owners and the
    like are kept of a deployment's. Raises `CxError`.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.folder = folder
        self._broker = EmbeddedBroker()
        self._given = settings
        self._migrations: Child | None = None
        self._sinks: Child | None = None

    def __enter__(self) -> Self:
        self._broker.start()
        try:
            self.settings = _here(self._given, self._broker.address, self.folder)
            self._file.write_text(to_toml(self.settings), encoding="utf-8")
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
            child.wait(STORED_SECONDS)
        self._broker.stop()

    @property
    def _file(self) -> Path:
        return self.folder / "cxstream.toml"

    async def store(self) -> None:
        """Start storing every topic in the database, as soon as it is migrated."""
        await asyncio.to_thread(self._migrated)
        self._sinks = self._child("sinks", "worker", "--only", "sinks")

    async def stored(self) -> None:
        """Wait until the database has everything that is in the topics now."""
        ends, before, moved = await self._ends(), -1, monotonic()
        while (waiting := await asyncio.to_thread(self._waiting, ends)) > 0:
            if self._sinks is not None and self._sinks.exit_code is not None:
                raise self._sinks.failure()
            if waiting != before:
                before, moved = waiting, monotonic()
            elif monotonic() > moved + STORED_SECONDS:
                raise StoreError(
                    f"{self.settings.clickhouse.url}: nothing was stored for {STORED_SECONDS:g} s while "
                    f"{waiting} records wait; see {self.folder / 'sinks.log'}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    def _migrated(self) -> None:
        if self._migrations is not None:
            self._migrations.wait(STORED_SECONDS)
            if self._migrations.exit_code:
                raise self._migrations.failure()

    async def _ends(self) -> dict[tuple[str, int], int]:
        names = [self.settings.topic(topic.name) for topic in TOPICS if topic not in (CHANGELOG, REKEYED)]
        tps = [TopicPartition(name, p) for name in names for p in range(self.settings.kafka.partitions)]
        found = await high_watermarks(aiokafka_options(self.settings), tps, "read_committed")
        return {(tp.topic, tp.partition): end for tp, end in found.items()}

    def _waiting(self, ends: dict[tuple[str, int], int]) -> int:
        group = self.settings.group("sinks")
        with admin(self.settings) as client:
            committed = client.list_group_offsets({group: None})[group]
        reached = {(tp.topic, tp.partition): found.offset for tp, found in committed.items()}
        return sum(max(0, end - max(0, reached.get(place, 0))) for place, end in ends.items())

    def _child(self, name: str, *arguments: str) -> Child:
        return Child(
            name,
            [*arguments, "--config", str(self._file)],
            env=environment(self.folder),
            log=self.folder / f"{name}.log",
        )


def _here(settings: Settings, broker: str, folder: Path) -> Settings:
    replace = msgspec.structs.replace
    kafka = Kafka(
        brokers=broker,
        transactions="off",
        session_timeout=_SESSION_SECONDS,
        max_batch_bytes=_BATCH_BYTES,
        partitions=settings.kafka.partitions,
    )
    return replace(
        settings,
        app=App(id=f"sandbox-{token_hex(4)}", mode="replay"),
        kafka=kafka,
        clickhouse=ClickHouse(url=f"chdb://{quote(str((folder / 'clickhouse').resolve()))}", flush_seconds=0.2),
        metrics=replace(settings.metrics, streams_port=0, sinks_port=0),
    )
