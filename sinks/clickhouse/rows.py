"""From a topic's bytes to rows of its tables: the one place where that happens."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from schemas.catalogue import topic as catalogued
from schemas.decoding import EventDecoder, Invalid
from schemas.envelope import Envelope
from schemas.reject import Reject
from sinks.clickhouse.storable import LAST, unstorable
from sinks.clickhouse.tables import STORED_TOPICS, TABLES, Table
from sinks.dead_letter import not_storable
from sinks.errors import SinkError
from sinks.sink import SinkRecord

_SOURCE = b'{"topic":"%s","partition":%d,"offset":%d,"arrived_at":%d.%03d,%s'
_DERIVED = b'{"published_at":%d.%03d,%s'
_LAST_MS = int(LAST.timestamp()) * 1000 + 999


class Row(NamedTuple):
    """One row as a JSON object, and the record it comes from."""

    line: bytes
    record: SinkRecord


class RowReader:
    """Reads the records of one topic; built once per topic. Raises `SinkError` for a topic no table is for."""

    def __init__(self, topic: str) -> None:
        if topic not in STORED_TOPICS:
            raise SinkError(f"{topic}: no table is for it; a sink takes {', '.join(STORED_TOPICS)}")
        self._topic = catalogued(topic)
        self._name = topic.encode()
        self._tables = {table.record: table for table in TABLES if table.topic is self._topic}
        self._source = self._topic.role == "source"
        self._events: EventDecoder[Envelope] | None = EventDecoder(self._topic.record) if self._source else None
        self._derived: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self._topic.record)
        self._encoder = msgspec.json.Encoder()

    def read(self, partition: int, records: Sequence[SinkRecord]) -> tuple[dict[Table, list[Row]], list[Reject]]:
        """Rows by table, in order, and rejects of what no table can hold.

        Events that break their contract are left out, since the intake has already published their
        rejects; so are tombstones.
        """
        rows: dict[Table, list[Row]] = {table: [] for table in self._tables.values()}
        rejects: list[Reject] = []
        for record, decoded in zip(records, self._decode(records), strict=True):
            if decoded is None:
                continue
            refused = decoded if isinstance(decoded, Invalid) else _not_storable(unstorable(decoded))
            if refused is None:
                rows[self._tables[type(decoded)]].append(Row(self._line(partition, record, decoded), record))
            elif refused.reason == "not_storable":
                rejects.append(not_storable(self._topic.name, partition, record, refused.field, refused.detail))
        return rows, rejects

    def _decode(self, records: Sequence[SinkRecord]) -> Sequence[Any]:
        if self._events is not None:
            return self._events.many([record.value for record in records])
        return [self._one(record.value) for record in records]

    def _one(self, value: bytes | None) -> Any:
        if value is None:
            return None
        try:
            return self._derived.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return Invalid("not_storable", "", f"not a record of {self._topic.name}: {error}")

    def _line(self, partition: int, record: SinkRecord, decoded: msgspec.Struct) -> bytes:
        seconds, ms = divmod(min(max(record.timestamp_ms, 0), _LAST_MS), 1000)
        fields = self._encoder.encode(decoded)[1:]
        if self._source:
            return _SOURCE % (self._name, partition, record.offset, seconds, ms, fields)
        return _DERIVED % (seconds, ms, fields)


def _not_storable(problem: tuple[str, str] | None) -> Invalid | None:
    return Invalid("not_storable", *problem) if problem else None
