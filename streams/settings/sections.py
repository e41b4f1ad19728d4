"""The sections of `cxstream.toml`: every setting with its type, its default and its bounds."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from schemas.catalogue import SOURCE_TOPICS
from streams.core.cells.cuts import Cut
from streams.core.time.business_hours import BusinessHours
from streams.core.time.spans import Span, parse_span
from streams.errors import ConfigError

Raw = TypeVar("Raw")
Parsed = TypeVar("Parsed")
Positive = Annotated[int, msgspec.Meta(ge=1)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]

SOURCE_NAMES = frozenset(topic.name for topic in SOURCE_TOPICS)


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections; an unknown key is an error."""


class App(_Section, frozen=True, kw_only=True):
    """The deployment: `id` names the consumer groups, the transactional ids and the state."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$")] = "cxstream"
    mode: Literal["live", "replay"] = "live"
    log: Literal["text", "json"] = "text"


class Kafka(_Section, frozen=True, kw_only=True):
    """The broker. `session_timeout` is in seconds.

    `transactions`: "auto" uses them where the broker has them; "off" never does, and allows one worker only.
    """

    brokers: str = "127.0.0.1:9092"
    partitions: Positive = 4
    replication: Positive = 1
    transactions: Literal["auto", "on", "off"] = "auto"
    prefix: str = ""
    session_timeout: Positive = 10
    max_batch_bytes: Annotated[int, msgspec.Meta(ge=65_536)] = 900_000
    security: Literal["plaintext", "ssl", "sasl_ssl", "sasl_plaintext"] = "plaintext"
    allow_plaintext_password: bool = False
    username: str = ""
    password: str = ""
    ca_file: str = ""


class ClickHouse(_Section, frozen=True, kw_only=True):
    """The database for results: `http(s)://user:password@host:port/database` or `chdb:///folder`.

    An empty `url` stores nothing in ClickHouse.
    """

    url: str = "http://default@127.0.0.1:8123/cxstream"
    flush_rows: Positive = 20_000
    flush_seconds: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class Sinks(_Section, frozen=True, kw_only=True):
    """The sinks besides ClickHouse, such as `ndjson:///folder`; see `docs/sinks.md`."""

    urls: list[str] = msgspec.field(default_factory=list)
    flush_rows: Positive = 20_000
    flush_seconds: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class Metrics(_Section, frozen=True, kw_only=True):
    """The HTTP listeners of the workers: /metrics, /healthz and /readyz.

    Port 0 takes a free one. Each further sink takes the port after the one before. `stalled_after` is in seconds.
    """

    host: str = "127.0.0.1"
    streams_port: Port = 9464
    sinks_port: Port = 9465
    stalled_after: Positive = 60


class Windows(_Section, frozen=True, kw_only=True):
    """The rolling windows, and the cuts that they are computed for."""

    lengths: list[str] = msgspec.field(default_factory=lambda: ["5m", "1h", "24h", "7d", "30d"])
    cuts: list[str] = msgspec.field(
        default_factory=lambda: [
            "total",
            "touchpoint",
            "team",
            "channel",
            "queue",
            "segment",
            "audience",
            "touchpoint+channel",
            "team+queue",
        ]
    )
    max_cells: Positive = 5_000
    every: str = ""


class Lateness(_Section, frozen=True, kw_only=True):
    """How late an event may be and still count, and how far its time may lie ahead of its arrival.

    `final_after` is the shortest time for which a window of a replay can still be corrected after its
    end. A window longer than that can be corrected for its own length.
    """

    allowance: str = "30d"
    future: str = "10m"
    final_after: str = "10s"


class Ledger(_Section, frozen=True, kw_only=True):
    """How long records are kept for deduplication and correction, and how many of one customer."""

    horizon: str = "31d"
    max_records: Annotated[int, msgspec.Meta(ge=16)] = 1_024


class Risk(_Section, frozen=True, kw_only=True):
    """Churn risk per customer: its model (empty: the shipped one), and the longest age of an assessment."""

    enabled: bool = True
    model: str = ""
    refresh: str = "24h"


class Hours(_Section, frozen=True, kw_only=True):
    """Business hours for the ticket times: `open` in local time of `zone`, except on `holidays`."""

    zone: str = "UTC"
    open: list[str] = msgspec.field(default_factory=list)
    holidays: list[str] = msgspec.field(default_factory=list)


class Settings(_Section, frozen=True, kw_only=True):
    """All settings; see `docs/configuration.md`. The methods raise `ConfigError` for a value that cannot be parsed."""

    app: App = App()
    kafka: Kafka = Kafka()
    clickhouse: ClickHouse = ClickHouse()
    sinks: Sinks = msgspec.field(default_factory=Sinks)
    metrics: Metrics = Metrics()
    windows: Windows = msgspec.field(default_factory=Windows)
    lateness: Lateness = Lateness()
    ledger: Ledger = Ledger()
    risk: Risk = Risk()
    hours: Hours = msgspec.field(default_factory=Hours)
    owners: dict[str, str] = msgspec.field(default_factory=dict)

    def spans(self) -> tuple[Span, ...]:
        """The window lengths, parsed."""
        return tuple(_parse("windows.lengths", parse_span, text) for text in self.windows.lengths)

    def cuts(self) -> tuple[Cut, ...]:
        """The cuts, parsed."""
        return tuple(_parse("windows.cuts", Cut.parse, text) for text in self.windows.cuts)

    def business_hours(self) -> BusinessHours | None:
        """The business hours, parsed; None where `hours.open` is empty."""
        try:
            zone = ZoneInfo(self.hours.zone)
        except (OSError, ValueError, KeyError):
            raise ConfigError(
                f"hours.zone: {self.hours.zone!r} is no time zone; write one of the tz database, "
                'such as "Europe/Berlin"'
            ) from None
        if not self.hours.open:
            return None
        weeks = _parse("hours.open", lambda rules: BusinessHours.parse(zone, rules), self.hours.open)
        holidays = _parse("hours.holidays", lambda days: BusinessHours.parse(zone, (), days), self.hours.holidays)
        return BusinessHours(zone, weeks.week, holidays.holidays)

    def seconds(self, key: str) -> int:
        """The duration at `section.key`, in seconds."""
        section, name = key.split(".")
        return _parse(key, parse_span, getattr(getattr(self, section), name)).seconds

    def topic(self, name: str) -> str:
        """A catalogue topic's name on the broker: derived and internal topics take the prefix, source topics do not."""
        return name if name in SOURCE_NAMES else self.kafka.prefix + name

    def group(self, role: str) -> str:
        """The consumer group of one of our apps: `streams`, or the role of a sink."""
        return f"{self.app.id}-{role}"


def _parse(key: str, parse: Callable[[Raw], Parsed], value: Raw) -> Parsed:
    try:
        return parse(value)
    except ValueError as error:
        raise ConfigError(f"{key}: {error}") from None
