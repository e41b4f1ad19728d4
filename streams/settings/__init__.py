"""Settings: one `cxstream.toml`, overridden by `CXSTREAM_SECTION_KEY` in the environment."""

from streams.settings.loading import DEFAULT_FILE, ENV_PREFIX, FAUST_ENV_PREFIX, load
from streams.settings.sections import (
    App,
    ClickHouse,
    Hours,
    Kafka,
    Lateness,
    Ledger,
    Metrics,
    Risk,
    Settings,
    Sinks,
    Windows,
)

__all__ = [
    "DEFAULT_FILE",
    "ENV_PREFIX",
    "FAUST_ENV_PREFIX",
    "App",
    "ClickHouse",
    "Hours",
    "Kafka",
    "Lateness",
    "Ledger",
    "Metrics",
    "Risk",
    "Settings",
    "Sinks",
    "Windows",
    "load",
]
