"""The sinks that the settings name, each with the options its worker needs."""

from dataclasses import dataclass

from sinks.errors import SinkError
from sinks.registry import sink_for
from sinks.sink import Sink
from streams.errors import ConfigError
from streams.settings.sections import ClickHouse, Settings, Sinks

_LAST_PORT = 65_535


@dataclass(frozen=True)
class ConfiguredSink:
    """A sink, the URL it stores at and the options of its worker. `port` 0 takes a free one."""

    sink: type[Sink]
    url: str
    flush_rows: int
    flush_seconds: float
    port: int

    @property
    def name(self) -> str:
        """The sink's name."""
        return self.sink.name

    @property
    def address(self) -> str:
        """The URL without a password."""
        return self.sink.address(self.url)

    def build(self) -> Sink:
        """A new instance of the sink."""
        return self.sink(self.url, flush_rows=self.flush_rows)


def configured_sinks(settings: Settings) -> tuple[ConfiguredSink, ...]:
    """The sinks in the order of the settings: `clickhouse.url` unless it is empty, then `sinks.urls`.

    Raises `ConfigError` where a URL is malformed or in the wrong setting, or a sink is named twice.
    """
    named: list[tuple[str, str, ClickHouse | Sinks]] = []
    if settings.clickhouse.url:
        named.append(("clickhouse.url", settings.clickhouse.url, settings.clickhouse))
    named += [("sinks.urls", url, settings.sinks) for url in settings.sinks.urls]
    sinks: list[ConfiguredSink] = []
    for key, url, section in named:
        sink = _sink(key, url)
        if any(other.sink is sink for other in sinks):
            raise ConfigError(f"{key}: there are two {sink.name} sinks; name one, since both would read as one group")
        port = _port(settings, len(sinks))
        sinks.append(ConfiguredSink(sink, url, section.flush_rows, section.flush_seconds, port))
    return tuple(sinks)


def configured_sink(settings: Settings, name: str) -> ConfiguredSink:
    """The configured sink called `name`. Raises `ConfigError` where there is none."""
    for sink in configured_sinks(settings):
        if sink.name == name:
            return sink
    raise ConfigError(f"no {name} sink is configured; set its URL in clickhouse.url or sinks.urls")


def _sink(key: str, url: str) -> type[Sink]:
    try:
        sink = sink_for(url)
        sink.address(url)
    except SinkError as error:
        text = str(error)
        raise ConfigError(text if text.startswith(f"{key}: ") else f"{key}: {text}") from None
    if sink.setting != key:
        raise ConfigError(f"{key}: a {sink.name} sink belongs in {sink.setting}")
    return sink


def _port(settings: Settings, number: int) -> int:
    first = settings.metrics.sinks_port
    if first + number > _LAST_PORT:
        raise ConfigError(f"metrics.sinks_port: {first} leaves no port for each sink; set a lower one")
    return first + number if first else 0
