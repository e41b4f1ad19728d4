"""What was known of customers at any time in the past, from the events of the source topics."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from schemas.decoding import Invalid
from schemas.envelope import UNIDENTIFIED
from sinks.clickhouse.address import parse_url
from sinks.clickhouse.connection import Connection, connect
from sinks.clickhouse.tables import TABLES, Table
from sinks.errors import SinkError
from streams.core.churn.features import CustomerFeatures, customer_features
from streams.core.events import EVENTS
from streams.core.events.entry import Entry
from streams.core.events.source import EventSource
from streams.core.time.instants import to_ms
from streams.errors import ConfigError, StoreError

_CUSTOMERS_AT_ONCE = 2_000


@dataclass(frozen=True)
class _Version:
    """One version of a record. It became known at its `updated_at`, but not before its time."""

    known_at_ms: int
    is_dated: bool
    entry: Entry


@dataclass
class History:
    """Events by customer: `add` them all, `close`, then ask.

    `undated` counts corrections without `updated_at`. They are left out, because nothing says whether they were
    known at the time of a label. `invalid` counts records that break their contract.
    """

    horizon_ms: int
    events: int = 0
    invalid: int = 0
    undated: int = 0
    newest_ms: int | None = None
    _records: dict[str, dict[bytes, list[_Version]]] = field(default_factory=dict)

    def add(self, source: EventSource, event: Any) -> None:
        """Take one event of a source; an anonymous event is ignored."""
        if not event.customer or event.customer in UNIDENTIFIED:
            return
        time_ms = to_ms(event.time)
        entry = Entry(source.identify(event), source.version(event, time_ms), time_ms, 0, source.read(event))
        is_dated = event.updated_at is not None
        version = _Version(max(time_ms, to_ms(event.updated_at)) if is_dated else time_ms, is_dated, entry)
        versions = self._records.setdefault(event.customer, {}).setdefault(entry.identity, [])
        if all(other.entry.version != entry.version for other in versions):
            versions.append(version)
            self.events += 1
            self.newest_ms = time_ms if self.newest_ms is None else max(time_ms, self.newest_ms)

    def close(self) -> "History":
        """Put the versions of each record in order, leave out undated corrections, and return the history itself."""
        for records in self._records.values():
            for record, versions in records.items():
                versions.sort(key=lambda version: version.entry.version)
                kept = [version for place, version in enumerate(versions) if version.is_dated or not place]
                self.undated += len(versions) - len(kept)
                records[record] = kept
        return self

    def entries(self, customer: str, at_ms: int) -> list[Entry]:
        """A customer's entries as a ledger had them at a time: of each record the newest version known then."""
        entries = []
        for versions in self._records.get(customer, {}).values():
            known = [version.entry for version in versions if version.known_at_ms <= at_ms]
            if known:
                entries.append(known[-1])
        return entries

    def features(self, customer: str, at_ms: int) -> CustomerFeatures:
        """The features of a customer as known at a time."""
        return customer_features(self.entries(customer, at_ms), at_ms, self.horizon_ms)


def from_files(specs: Iterable[str], horizon_ms: int) -> History:
    """Events from files of newline-delimited JSON, each given as `TOPIC=FILE` or named after its topic.

    Raises `ConfigError` for a file that cannot be read or whose topic is unknown.
    """
    history = History(horizon_ms)
    for spec in specs:
        source, path = _source_of(spec)
        decoder = source.decoder()
        for event in decoder.many([line for line in _lines(path) if line.strip()]):
            if isinstance(event, Invalid):
                history.invalid += 1
            else:
                history.add(source, event)
    if not history.events:
        raise ConfigError("--events: no event of any customer in the files; export the source topics as NDJSON")
    return history.close()


def from_clickhouse(url: str, customers: Collection[str], horizon_ms: int) -> History:
    """Events of these customers from the sink's tables.

    Raises `StoreError` for a database that cannot be read, `ConfigError` when it has no event of these customers.
    """
    history, tables = History(horizon_ms), {table.topic.name: table for table in TABLES}
    try:
        connection = connect(parse_url(url))
        try:
            for source in EVENTS:
                for event in _stored(connection, tables[source.topic.name], sorted(customers)):
                    history.add(source, event)
        finally:
            connection.close()
    except SinkError as error:
        raise StoreError(str(error)) from None
    if not history.events:
        raise ConfigError(
            "clickhouse.url: no event of any labelled customer there; check that labels and events use the same "
            "customer ids"
        )
    return history.close()


def _source_of(spec: str) -> tuple[EventSource, Path]:
    topic, _, name = spec.rpartition("=")
    path = Path(name)
    for source in EVENTS:
        if topic == source.topic.name or (not topic and path.name.startswith(source.topic.name)):
            return source, path
    topics = ", ".join(source.topic.name for source in EVENTS)
    raise ConfigError(f"--events {spec}: names no topic; write TOPIC=FILE, with one of {topics}")


def _lines(path: Path) -> Sequence[bytes]:
    try:
        return path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; give a file of events") from None


def _stored(connection: Connection, table: Table, customers: Sequence[str]) -> Iterator[Any]:
    fields = table.record.__struct_fields__
    sql = f"SELECT {', '.join(fields)} FROM {table.name} WHERE customer IN %(customers)s"
    for start in range(0, len(customers), _CUSTOMERS_AT_ONCE):
        some = tuple(customers[start : start + _CUSTOMERS_AT_ONCE])
        for row in connection.rows(sql, {"customers": some}):
            values = {name: _zoned(value) for name, value in zip(fields, row, strict=True)}
            yield msgspec.convert(values, table.record)


def _zoned(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
