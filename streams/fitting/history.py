"""What was known of customers at any past time, from the events of the source topics."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from schemas.decoding import Invalid
from schemas.envelope import UNIDENTIFIED
from sinks.address import parse_url
from sinks.connection import Connection, connect
from sinks.errors import SinkError
from sinks.tables import TABLES, Table
from streams.core.churn.features import CustomerFeatures, customer_features
from streams.core.events.sources import SOURCES, Source, to_ms
from streams.core.ledger.ledger import Entry
from streams.errors import ConfigError, StoreError

_CUSTOMERS_AT_ONCE = 2_000


@dataclass(frozen=True)
class _Version:
    """One version of a record, and when it became known (ms): its `updated_at`, but not before its time."""

    known: int
    dated: bool
    entry: Entry


@dataclass
class History:
    """Events by customer. `undated` counts newer versions of records that do not say when they came about.

    Such a version is left out: whether it was known at a label's time cannot be told. `refused` counts
    records that break their contract.
    """

    horizon: int
    events: int = 0
    refused: int = 0
    undated: int = 0
    newest: int | None = None
    _records: dict[str, dict[bytes, list[_Version]]] = field(default_factory=dict)

    def add(self, source: Source, event: Any) -> None:
        """Take one event of a source; one of nobody is of no use here."""
        if not event.customer or event.customer in UNIDENTIFIED:
            return
        time = to_ms(event.time)
        entry = Entry(source.identify(event), source.version(event, time), time, 0, source.facts(event))
        dated = event.updated_at is not None
        version = _Version(max(time, to_ms(event.updated_at)) if dated else time, dated, entry)
        versions = self._records.setdefault(event.customer, {}).setdefault(entry.identity, [])
        if all(other.entry.version != entry.version for other in versions):
            versions.append(version)
            self.events += 1
            self.newest = time if self.newest is None else max(time, self.newest)

    def close(self) -> "History":
        """Put the versions of each record in order, without those that cannot be placed in time; returns itself."""
        for records in self._records.values():
            for record, versions in records.items():
                versions.sort(key=lambda version: version.entry.version)
                kept = [v for place, v in enumerate(versions) if v.dated or not place]
                self.undated += len(versions) - len(kept)
                records[record] = kept
        return self

    def entries(self, customer: str, at: int) -> list[Entry]:
        """A customer's entries as a ledger had them at `at` (ms): of each record the newest version known then."""
        found = []
        for versions in self._records.get(customer, {}).values():
            then = [version.entry for version in versions if version.known <= at]
            if then:
                found.append(then[-1])
        return found

    def known(self, customer: str, at: int) -> CustomerFeatures:
        """The features of a customer as known at `at` (ms)."""
        return customer_features(self.entries(customer, at), at, self.horizon)


def from_files(specs: Iterable[str], horizon: int) -> History:
    """Events from files of newline-delimited JSON, each `TOPIC=FILE`, or named after its topic.

    Raises `ConfigError` for a file that cannot be read or whose topic nobody knows.
    """
    history = History(horizon)
    for spec in specs:
        source, path = _source_of(spec)
        decoder = source.decoder()
        for event in decoder.many([line for line in _lines(path) if line.strip()]):
            if isinstance(event, Invalid):
                history.refused += 1
            else:
                history.add(source, event)
    if not history.events:
        raise ConfigError("--events: no event of any customer in the files; export the source topics as NDJSON")
    return history.close()


def from_clickhouse(url: str, customers: Collection[str], horizon: int) -> History:
    """Events of these customers from the sink's tables. Raises `StoreError`."""
    history, tables = History(horizon), {table.topic.name: table for table in TABLES}
    try:
        connection = connect(parse_url(url))
        try:
            for source in SOURCES:
                for event in _stored(connection, tables[source.topic], sorted(customers)):
                    history.add(source, event)
        finally:
            connection.close()
    except SinkError as error:
        raise StoreError(str(error)) from None
    if not history.events:
        raise ConfigError("clickhouse.url: no event of any labelled customer there; are the customers' ids the same?")
    return history.close()


def _source_of(spec: str) -> tuple[Source, Path]:
    topic, _, name = spec.rpartition("=")
    path = Path(name)
    for source in SOURCES:
        if topic == source.topic or (not topic and path.name.startswith(source.topic)):
            return source, path
    topics = ", ".join(source.topic for source in SOURCES)
    raise ConfigError(f"--events {spec}: of which topic? Write TOPIC=FILE, with one of {topics}")


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
