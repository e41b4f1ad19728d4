"""Log lines on stderr, as text or JSON."""

import logging
import sys
from typing import Any, Literal

import structlog

_LIBRARIES = ("aiokafka", "faust", "mode", "kafka", "clickhouse_connect")


def configure(style: Literal["text", "json"], debug: bool = False) -> None:
    """Log this package from INFO on, and libraries only if they report errors or with `debug`."""
    renderer: Any = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    if style == "json":
        renderer = structlog.processors.JSONRenderer()
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if style == "json":
        shared.append(structlog.processors.format_exc_info)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.INFO if debug else logging.ERROR)
