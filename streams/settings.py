"""Settings: one `cxstream.toml`, overridden by `CXSTREAM_SECTION_KEY` in the environment."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from streams.core.cells.cuts import DIMENSIONS, Cut
from streams.core.time.business_hours import BusinessHours
from streams.core.time.panes import Span, parse_span
from streams.errors import ConfigError

PREFIX = "CXSTREAM_"
FAUST_PREFIX = "CXSTREAM_FAUST_"
NOT_SETTINGS = frozenset({"CXSTREAM_CONFIG", "CXSTREAM_BROKER_BIN", "CXSTREAM_DATA"})
"""Variables with our prefix that are no settings: the file, the embedded broker's binary, the tests' data."""

FILE = "cxstream.toml"
Positive = Annotated[int, msgspec.Meta(ge=1)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: unknown keys are errors, not surprises."""


class App(_Section, frozen=True, kw_only=True):
    """Who we are: `id` names the consumer groups, the transactional ids and the state."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$")] = "cxstream"
    mode: Literal["live", "replay"] = "live"
    log: Literal["text", "json"] = "text"


class Kafka(_Section, frozen=True, kw_only=True):
    """The broker. `transactions` "auto" asks it; "off" allows one worker only."""

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
    """Where results are stored: `http(s)://user:password@host:port/database` or `chdb:///folder`."""

    url: str = "http://default@127.0.0.1:8123/cxstream"
    flush_rows: Positive = 20_000
    flush_seconds: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class Metrics(_Section, frozen=True, kw_only=True):
    """The HTTP listeners of the two workers: /metrics, /healthz, /readyz. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    streams_port: Port = 9464
    sinks_port: Port = 9465
    stalled_after: Positive = 60


class Windows(_Section, frozen=True, kw_only=True):
    """Rolling windows and the cuts they are computed for."""

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
    """How late an event may be and still count, and how far ahead of its arrival it may claim to be.

    `final_after`: how long after its end a window of a replay can still be corrected, at least; its
    own length is always waited for.
    """

    allowance: str = "30d"
    future: str = "10m"
    final_after: str = "10s"


class Ledger(_Section, frozen=True, kw_only=True):
    """How long records stay known for deduplication and correction, and how many of one customer."""

    horizon: str = "31d"
    max_records: Annotated[int, msgspec.Meta(ge=16)] = 1_024


class Risk(_Section, frozen=True, kw_only=True):
    """Churn risk per customer: by which model file (empty: the one we ship), and how old an assessment may get."""

    enabled: bool = True
    model: str = ""
    refresh: str = "24h"


class Hours(_Section, frozen=True, kw_only=True):
    """Opening hours that tickets are also timed by: `open` by the clock of `zone`, not on `holidays`."""

    zone: str = "UTC"
    open: list[str] = msgspec.field(default_factory=list)
    holidays: list[str] = msgspec.field(default_factory=list)


class Settings(_Section, frozen=True, kw_only=True):
    """All settings, checked; see `docs/configuration.md`."""

    app: App = App()
    kafka: Kafka = Kafka()
    clickhouse: ClickHouse = ClickHouse()
    metrics: Metrics = Metrics()
    windows: Windows = msgspec.field(default_factory=Windows)
    lateness: Lateness = Lateness()
    ledger: Ledger = Ledger()
    risk: Risk = Risk()
    hours: Hours = msgspec.field(default_factory=Hours)
    owners: dict[str, str] = msgspec.field(default_factory=dict)

    def spans(self) -> tuple[Span, ...]:
        """The window lengths, parsed."""
        return tuple(_key("windows.lengths", parse_span, text) for text in self.windows.lengths)

    def cuts(self) -> tuple[Cut, ...]:
        """The cuts, parsed."""
        return tuple(_key("windows.cuts", Cut.parse, text) for text in self.windows.cuts)

    def business_hours(self) -> BusinessHours | None:
        """The opening hours, parsed; None where there are none."""
        try:
            zone = ZoneInfo(self.hours.zone)
        except (OSError, ValueError, KeyError):
            raise ConfigError(
                f"hours.zone: {self.hours.zone!r} is no time zone; write one of the tz database, "
                'such as "Europe/Berlin"'
            ) from None
        if not self.hours.open:
            return None
        weeks = _key("hours.open", lambda rules: BusinessHours.parse(zone, rules), self.hours.open)
        holidays = _key("hours.holidays", lambda days: BusinessHours.parse(zone, (), days), self.hours.holidays)
        return BusinessHours(zone, weeks.week, holidays.holidays)

    def seconds(self, key: str) -> int:
        """The duration at `section.key`, in seconds."""
        section, name = key.split(".")
        span: Span = _key(key, parse_span, getattr(getattr(self, section), name))
        return span.seconds

    def topic(self, name: str) -> str:
        """The broker's name of a topic of the catalogue: derived and internal ones take the prefix."""
        return name if name in SOURCES else self.kafka.prefix + name

    def group(self, role: str) -> str:
        """The consumer group of one of our two apps, `streams` or `sinks`."""
        return f"{self.app.id}-{role}"


def load(path: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Read the file (default: `cxstream.toml` here, if there is one) and the environment.

    Raises `ConfigError` naming the key and the fix.
    """
    env = os.environ if env is None else env
    raw = _read(path or Path(env.get(PREFIX + "CONFIG", FILE)), required=path is not None or PREFIX + "CONFIG" in env)
    for name, text in env.items():
        if name.startswith(PREFIX) and name not in NOT_SETTINGS and not name.startswith(FAUST_PREFIX):
            _override(raw, name, text)
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(_readable(str(error))) from None
    _check(settings)
    return settings


def _read(path: Path, required: bool) -> dict[str, Any]:
    if not path.exists():
        if required:
            raise ConfigError(f"{path}: no such file; create it or drop the option that names it")
        return {}
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _override(raw: dict[str, Any], name: str, text: str) -> None:
    section, _, key = name.removeprefix(PREFIX).lower().partition("_")
    kinds = {f.name: f.type for f in msgspec.structs.fields(Settings)}
    fields = getattr(kinds.get(section), "__annotations__", {})
    if key not in fields:
        raise ConfigError(f"{name}: there is no setting {section}.{key}; see docs/configuration.md, or unset it")
    raw.setdefault(section, {})[key] = _typed(fields[key], text)


def _typed(kind: Any, text: str) -> Any:
    if kind == list[str]:
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError:
        return text  # the whole is checked later, with the key's name


def _readable(message: str) -> str:
    text, _, path = message.partition(" - at `$.")
    unknown = re.search(r"unknown field `([^`]+)`", text)
    where = ".".join(filter(None, [path.rstrip("`"), unknown[1] if unknown else ""]))
    if unknown or not path:
        return f"{where or 'settings'}: no such setting; see docs/configuration.md for the list"
    return f"{where}: {text}"


def _key(key: str, parse: Any, value: Any) -> Any:
    try:
        return parse(value)
    except ValueError as error:
        raise ConfigError(f"{key}: {error}") from None


def _check(settings: Settings) -> None:
    spans, allowance = settings.spans(), settings.seconds("lateness.allowance")
    settings.cuts()
    settings.business_hours()
    settings.seconds("lateness.future")
    settings.seconds("lateness.final_after")
    settings.seconds("risk.refresh")
    if settings.windows.every:
        settings.seconds("windows.every")
    if not spans:
        raise ConfigError('windows.lengths: empty; name at least one window, e.g. ["24h"]')
    if settings.seconds("ledger.horizon") < 48 * 3600:
        raise ConfigError("ledger.horizon: at least 48h, or late duplicates would count twice")
    if settings.seconds("ledger.horizon") < allowance:
        raise ConfigError("ledger.horizon: shorter than lateness.allowance; late duplicates would count twice")
    if settings.kafka.security == "sasl_plaintext" and not settings.kafka.allow_plaintext_password:
        raise ConfigError(
            "kafka.security: sasl_plaintext sends the password in clear; use sasl_ssl, "
            "or set kafka.allow_plaintext_password = true"
        )
    for owned in settings.owners:
        dimension, _, cell = owned.partition(":")
        if dimension not in DIMENSIONS or not cell:
            raise ConfigError(f'owners."{owned}": write it as "touchpoint:checkout" or "team:billing"')


SOURCES = frozenset({"cx.tickets.v1", "cx.calls.v1", "cx.surveys.v1", "cx.accounts.v1"})
