"""The ClickHouse sink: typed rows, inserted once however often they are delivered."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from schemas.reject import Reject
from sinks.breaker import Breaker
from sinks.clickhouse.address import parse_url
from sinks.clickhouse.batch import Batch, cut
from sinks.clickhouse.connection import TIMEOUT, Connection, connect
from sinks.clickhouse.migrate import require_migrated
from sinks.clickhouse.rows import RowReader
from sinks.dead_letter import not_storable
from sinks.errors import PoisonRow, SinkError, SinkUnavailable
from sinks.sink import SinkRecord

BUFFERED_FLUSHES = 5
"""So many times `flush_rows` records are buffered before `add` refuses more."""


class ClickHouseSink:
    """Stores topics in ClickHouse or chDB; see `sinks.sink.Sink` for when to acknowledge.

    `flush_rows` bounds one insert; `timeout` (whole seconds) its duration; `clock` is monotonic seconds.
    `add` may be called while a `flush` runs in another thread. A flush that failed cuts and names
    the same inserts again, so what the server had already taken is not inserted twice.
    """

    def __init__(
        self, url: str, *, flush_rows: int = 20_000, timeout: int = TIMEOUT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = parse_url(url)
        self._flush_rows = flush_rows
        self._timeout = timeout
        self._breaker = Breaker(clock)
        self._connection: Connection | None = None
        self._readers: dict[str, RowReader] = {}
        self._added: list[tuple[str, int, Sequence[SinkRecord]]] = []
        self._buffered = self.inserts = 0
        self._batches: deque[Batch] = deque()
        self._waiting = 0
        self._rejects: list[Reject] = []
        self._adding = threading.Lock()
        self._flushing = threading.Lock()

    @property
    def buffered(self) -> int:
        """Records and rows that are not stored yet."""
        return self._buffered + self._waiting

    def warm(self) -> None:
        """Connect and check the tables. Raises `SinkError` when they are not migrated."""
        with self._flushing:
            require_migrated(self._connected())

    def add(self, topic: str, partition: int, records: Sequence[SinkRecord]) -> None:
        """Buffer records of the catalogue's `topic`; no I/O, no decoding."""
        if self.buffered >= BUFFERED_FLUSHES * self._flush_rows:
            raise SinkUnavailable(
                f"{self._address}: {self.buffered} records are waiting to be stored", self._breaker.remaining or 0.1
            )
        if topic not in self._readers:
            self._readers[topic] = RowReader(topic)
        with self._adding:
            self._added.append((topic, partition, records))
            self._buffered += len(records)

    def flush(self) -> list[Reject]:
        """Store all that was added before; returns the rejects of rows that can never be stored."""
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
        """Let go of the database, so that another process may open a chDB folder."""
        with self._flushing:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._address, self._timeout)
        return self._connection

    def _cut(self) -> None:
        with self._adding:
            added, self._added = self._added, []
        for topic, partition, records in _joined(added):
            rows, rejects = self._readers[topic].read(partition, records)
            self._rejects += rejects
            for table, lines in rows.items():
                self._batches.extend(cut(table, partition, lines, self._flush_rows))
                self._waiting += len(lines)
            with self._adding:
                self._buffered -= len(records)

    def _store_batches(self) -> None:
        while self._batches:
            batch = self._batches[0]
            self._rejects += _store(self._connected(), batch)
            self._batches.popleft()
            self.inserts += 1
            self._waiting -= len(batch.rows)


def _joined(added: Sequence[tuple[str, int, Sequence[SinkRecord]]]) -> list[tuple[str, int, list[SinkRecord]]]:
    joined: dict[tuple[str, int], list[SinkRecord]] = {}
    for topic, partition, records in added:
        joined.setdefault((topic, partition), []).extend(records)
    return [(topic, partition, records) for (topic, partition), records in joined.items()]


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
        # its reject would come back here and be refused again, for ever
        raise SinkError(
            f"table {batch.table.name} refuses a reject ({topic.name}, partition {batch.partition}, "
            f"offset {record.offset}): {detail}; remove what was added to the table"
        )
    return not_storable(topic.name, batch.partition, record, "", detail)
