"""From a row to an event of its topic, to a dropped row, or to the reason for which it is rejected."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from schemas import catalogue
from schemas.decoding import EventDecoder, Invalid
from schemas.envelope import UNIDENTIFIED, Envelope
from streams.core.time.instants import to_ms
from streams.importing.columns import Columns
from streams.importing.field_types import field_types
from streams.importing.fields import FieldReaders, condition
from streams.importing.mapping import Mapping
from streams.importing.rows import BadRow, Row
from streams.importing.times import UnreadableTime


@dataclass(frozen=True, slots=True)
class Ready:
    """A valid event: its time, its message key and its JSON."""

    time_ms: int
    key: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row that a drop rule of the mapping excludes."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row from which no valid event can be made."""

    reason: str
    detail: str


Outcome = Ready | Dropped | Rejected
"""What became of a row; every row has exactly one outcome."""


class Converter:
    r"""Converts the rows of one table to events; built once per table, from its name and its header.

    `header` is None for a table of objects. Raises `MappingError` when the mapping names a column
    that the header lacks. A row needs no file, so a gateway can convert the objects it receives:

    >>> from streams.importing.mapping_text import parse_mapping
    >>> toml = 'topic = "cx.calls.v1"\n[fields]\nrecord_id = "id"\ntime = "at"\noutcome = "outcome"'
    >>> converter = Converter(parse_mapping(toml, name="demo", origin="demo.toml"), "webhook", None)
    >>> row = {"id": "7", "at": "2024-05-01T10:00:00Z", "outcome": "answered"}
    >>> converter.convert(Row(1, 1, row, b"")).key
    b'7'
    >>> converter.convert(Row(1, 1, row | {"outcome": "gone"}, b"")).reason
    'unknown_value'
    """

    def __init__(self, mapping: Mapping, table_name: str, header: list[str] | None) -> None:
        self._mapping = mapping
        self.columns = Columns(mapping.origin, table_name, header)
        record = catalogue.topic(mapping.topic).record
        self._decoder: EventDecoder[Envelope] = EventDecoder(record)
        readers = FieldReaders(mapping, self.columns, field_types(record))
        self._fields = [(name, readers.reader(f"fields.{name}", name, field)) for name, field in mapping.fields.items()]
        self._drop_rules = [
            (rule.reason, condition(f"drop[{number}].where", rule.where, self.columns))
            for number, rule in enumerate(mapping.drop)
        ]

    def convert(self, row: Row | BadRow) -> Outcome:
        """The outcome of one row; never raises on bad input."""
        if isinstance(row, BadRow):
            return Rejected(row.reason, row.detail)
        for reason, holds in self._drop_rules:
            if holds(row.values):
                return Dropped(reason)
        event: dict[str, Any] = {}
        for name, read in self._fields:
            try:
                value = read(row.values)
            except UnreadableTime as error:
                return Rejected(error.reason, f"{name}: {error.detail}")
            if value is not None:
                event[name] = value
        self._add_identity(event, row)
        return self._validated(event)

    def _add_identity(self, event: dict[str, Any], row: Row) -> None:
        mapping, customers = self._mapping, self._mapping.customers
        if customers:
            event["customer"] = invented_customer(customers.name, customers.invent, row.row_number)
        if "record_id" not in mapping.fields:
            event["record_id"] = f"{mapping.name}-{_digest(b'%d ' % row.row_number + row.content)}"
        if "event_id" not in mapping.fields:
            by_content = "record_id" in mapping.fields
            event["event_id"] = f"{mapping.name}-{_digest(row.content)}" if by_content else event["record_id"]

    def _validated(self, event: dict[str, Any]) -> Ready | Rejected:
        payload = orjson.dumps(event, option=orjson.OPT_UTC_Z)
        decoded = self._decoder.one(payload)
        if isinstance(decoded, Invalid):
            return Rejected(decoded.reason, f"{decoded.field}: {decoded.detail}" if decoded.field else decoded.detail)
        anonymous = not decoded.customer or decoded.customer in UNIDENTIFIED
        key = decoded.record_id if anonymous else decoded.customer
        return Ready(to_ms(decoded.time), str(key).encode(), payload)


def invented_customer(name: str, count: int, row_number: int) -> str:
    """The invented customer of the row with this number: the same each time, evenly distributed over `count`.

    >>> invented_customer("invented", 500, 1)
    'invented-411'
    """
    digest = blake2b(b"%d" % row_number, digest_size=8).digest()
    return f"{name}-{int.from_bytes(digest) % count + 1}"


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=12).hexdigest()
