"""The ClickHouse sink: typed rows, each stored once however often it is delivered."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from schemas.reject import Reject
from sinks.breaker import Breaker
from sinks.buffer import RecordBuffer
from sinks.clickhouse import check, migrate
from sinks.clickhouse.address import parse_url
from sinks.clickhouse.batch import Batch, cut
from sinks.clickhouse.connection import TIMEOUT_S, Connection, connect
from sinks.clickhouse.rows import RowReader
from sinks.clickhouse.tables import STORED_TOPICS
from sinks.dead_letter import not_storable
from sinks.errors import PoisonRow, SinkError, SinkUnavailable
from sinks.sink import BUFFERED_FLUSHES, Sink, SinkRecord, SinkStatus


class ClickHouseSink(Sink):
    """Stores topics in ClickHouse, or in chDB within this process.

    `flush_rows` bounds one insert, `timeout_s` (whole seconds) its duration; `now_s` is a monotonic clock in seconds.
    A flush that failed is repeated with the same inserts and the same tokens, so the server does not store twice
    what it had already taken.
    """

    name = "clickhouse"
    schemes = ("http", "https", "chdb")
    url_example = "http://user:password@host:8123/database or chdb:///folder"
    setting = "clickhouse.url"
    topics = STORED_TOPICS
    packages = ("clickhouse-connect",)

    def __init__(
        self,
        url: str,
        *,
        flush_rows: int = 20_000,
        timeout_s: int = TIMEOUT_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.writes = 0
        self._address = parse_url(url)
        self._flush_rows = flush_rows
        self._timeout_s = timeout_s
        self._breaker = Breaker(now_s)
        self._buffer = RecordBuffer(str(self._address), BUFFERED_FLUSHES * flush_rows, self._breaker)
        self._connection: Connection | None = None
        self._readers: dict[str, RowReader] = {}
        self._batches: deque[Batch] = deque()
        self._rejects: list[Reject] = []
        self._flushing = threading.Lock()

    @classmethod
    def role(cls) -> str:
        """`sinks`, the group in which deployments from before there were other sinks have committed their offsets."""
        return "sinks"

    @classmethod
    def address(cls, url: str) -> str:
        """The database's address. Raises `SinkError`."""
        return str(parse_url(url))

    @classmethod
    def check(cls, url: str) -> SinkStatus:
        """Connect, and report the version and the last migration. Raises `SinkError`."""
        return check.check(url)

    @classmethod
    def require(cls, url: str) -> None:
        """Raise `SinkError` unless a server answers and is migrated; a chDB folder is not opened."""
        check.require(url)

    @classmethod
    def migrate(cls, url: str) -> list[str]:
        """Create the database where it is missing and apply the pending migrations. Raises `SinkError`."""
        return migrate.migrate(url)

    @property
    def pending(self) -> int:
        """Records and rows that are not stored yet."""
        return self._buffer.pending

    def warm(self) -> None:
        """Connect and check the tables. Raises `SinkError` where they are not migrated."""
        with self._flushing:
            migrate.require_migrated(self._connected())

    def add(self, topic: str, partition: int, records: Sequence[SinkRecord]) -> None:
        """Buffer records of the catalogue's `topic`, without I/O and without decoding them."""
        if topic not in self._readers:
            self._readers[topic] = RowReader(topic)
        self._buffer.add(topic, partition, records)

    def flush(self) -> list[Reject]:
        """Store everything that was added; returns the rejects of rows that can never be stored."""
        with self._flushing:
            self._breaker.check()
            self._cut()
            try:
                self._store_batches()
            except SinkUnavailable as error:
                raise self._breaker.failed(str(error)) from error
            self._breaker.succeeded()
            rejects, self._rejects = self._rejects, []
            return rejects

    def close(self) -> None:
        """Close the connection, so that another process can open a chDB folder."""
        with self._flushing:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._address, self._timeout_s)
        return self._connection

    def _cut(self) -> None:
        for topic, partition, records in self._buffer.take():
            rows, rejects = self._readers[topic].read(partition, records)
            self._rejects += rejects
            for table, lines in rows.items():
                self._batches.extend(cut(table, partition, lines, self._flush_rows))
            self._buffer.stored(len(records) - sum(map(len, rows.values())))

    def _store_batches(self) -> None:
        while self._batches:
            batch = self._batches[0]
            self._rejects += _store(self._connected(), batch)
            self._batches.popleft()
            self.writes += 1
            self._buffer.stored(len(batch.rows))


def _store(connection: Connection, batch: Batch) -> list[Reject]:
    try:
        connection.insert(batch.table.name, batch.table.columns, batch.body, batch.token)
    except PoisonRow as poison:
        if len(batch.rows) > 1:
            return [reject for half in batch.halves() for reject in _store(connection, half)]
        return [_reject(batch, str(poison))]
    return []


def _reject(batch: Batch, detail: str) -> Reject:
    topic, record = batch.table.topic, batch.rows[0].record
    if topic.record is Reject:
        # the reject of a reject would come back here and be refused again, without end
        raise SinkError(
            f"table {batch.table.name} refuses a reject ({topic.name}, partition {batch.partition}, "
            f"offset {record.offset}): {detail}; remove what was added to the table"
        )
    return not_storable(topic.name, batch.partition, record, "", detail)
