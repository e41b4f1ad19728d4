"""Turns the bytes of a topic into rows of its tables."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from schemas.decoding import Invalid
from schemas.reject import Reject
from sinks.clickhouse.storable import LAST, unstorable
from sinks.clickhouse.tables import TABLES, Table
from sinks.dead_letter import not_storable
from sinks.decoding import RecordDecoder
from sinks.sink import SinkRecord

_SOURCE = b'{"topic":"%s","partition":%d,"offset":%d,"arrived_at":%d.%03d,%s'
_DERIVED = b'{"published_at":%d.%03d,%s'
_LAST_MS = int(LAST.timestamp()) * 1000 + 999


class Row(NamedTuple):
    """One row as a JSON object, and the record it comes from."""

    line: bytes
    record: SinkRecord


class RowReader:
    """Reads the records of one topic; built once per topic. Raises `SinkError` for a topic that is not stored."""

    def __init__(self, topic: str) -> None:
        self._decoder = RecordDecoder(topic)
        self._topic = self._decoder.topic
        self._name = topic.encode()
        self._tables = {table.record: table for table in TABLES if table.topic is self._topic}
        self._encoder = msgspec.json.Encoder()

    def read(self, partition: int, records: Sequence[SinkRecord]) -> tuple[dict[Table, list[Row]], list[Reject]]:
        """The rows by table, in order, and the rejects of records that no table can hold.

        Tombstones and events that break their contract give neither; see `RecordDecoder.decode`.
        """
        rows: dict[Table, list[Row]] = {table: [] for table in self._tables.values()}
        rejects: list[Reject] = []
        for record, decoded in self._decoder.decode(records):
            problem = (decoded.field, decoded.detail) if isinstance(decoded, Invalid) else unstorable(decoded)
            if problem:
                rejects.append(not_storable(self._topic.name, partition, record, *problem))
            else:
                rows[self._tables[type(decoded)]].append(Row(self._line(partition, record, decoded), record))
        return rows, rejects

    def _line(self, partition: int, record: SinkRecord, decoded: msgspec.Struct) -> bytes:
        seconds, ms = divmod(min(max(record.timestamp_ms, 0), _LAST_MS), 1000)
        fields = self._encoder.encode(decoded)[1:]
        if self._topic.role == "source":
            return _SOURCE % (self._name, partition, record.offset, seconds, ms, fields)
        return _DERIVED % (seconds, ms, fields)
