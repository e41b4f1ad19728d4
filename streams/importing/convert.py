"""From a row to an event of the contract, to a dropped row, or to the reason why it is neither."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from schemas.catalogue import topic
from schemas.decoding import EventDecoder, Invalid
from schemas.envelope import UNIDENTIFIED, Envelope
from streams.importing.columns import Columns
from streams.importing.field_types import kinds
from streams.importing.fields import FieldMaker, condition
from streams.importing.files import Row, Table
from streams.importing.mapping import Plan
from streams.importing.times import Unreadable, milliseconds


@dataclass(frozen=True, slots=True)
class Ready:
    """A valid event: its time in milliseconds, its message key, its JSON."""

    time_ms: int
    key: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row the mapping says is no event."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that makes no valid event."""

    reason: str
    detail: str


class Converter:
    """Makes events of the rows of one table; built once per table.

    Raises `MappingError` when the mapping names a column the table lacks.
    """

    def __init__(self, plan: Plan, table: Table) -> None:
        self._plan = plan
        self.columns = Columns(plan, table)
        record = topic(plan.topic).record
        self._decoder: EventDecoder[Envelope] = EventDecoder(record)
        maker = FieldMaker(plan, self.columns, kinds(record))
        self._fields = [(name, maker.field(f"fields.{name}", name, spec)) for name, spec in plan.fields.items()]
        self._drops = [
            (drop.reason, condition(f"drop[{number}].where", drop.where, self.columns))
            for number, drop in enumerate(plan.drop)
        ]

    def convert(self, row: Row) -> Ready | Dropped | Refused:
        """What becomes of one row; never raises on bad input."""
        for reason, holds in self._drops:
            if holds(row.values):
                return Dropped(reason)
        event: dict[str, Any] = {}
        for name, make in self._fields:
            try:
                value = make(row.values)
            except Unreadable as error:
                return Refused(error.reason, f"{name}: {error.detail}")
            if value is not None:
                event[name] = value
        return self._valid(self._identified(event, row))

    def _identified(self, event: dict[str, Any], row: Row) -> dict[str, Any]:
        plan = self._plan
        if plan.customers:
            event["customer"] = invented(plan.customers.name, plan.customers.invent, row.ordinal)
        if "record_id" not in plan.fields:
            event["record_id"] = f"{plan.name}-{_digest(b'%d ' % row.ordinal + row.text)}"
        if "event_id" not in plan.fields:
            event["event_id"] = f"{plan.name}-{_digest(row.text)}" if "record_id" in plan.fields else event["record_id"]
        return event

    def _valid(self, event: dict[str, Any]) -> Ready | Refused:
        payload = orjson.dumps(event, option=orjson.OPT_UTC_Z)
        decoded = self._decoder.one(payload)
        if isinstance(decoded, Invalid):
            return Refused(decoded.reason, f"{decoded.field}: {decoded.detail}" if decoded.field else decoded.detail)
        nobody = not decoded.customer or decoded.customer in UNIDENTIFIED
        key = decoded.record_id if nobody else decoded.customer
        return Ready(milliseconds(decoded.time), str(key).encode(), payload)


def invented(name: str, count: int, ordinal: int) -> str:
    """The invented customer of the row with this ordinal: always the same, spread evenly.

    >>> invented("invented", 500, 1)
    'invented-411'
    """
    return f"{name}-{int.from_bytes(blake2b(b'%d' % ordinal, digest_size=8).digest()) % count + 1}"


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=12).hexdigest()
