"""The registry of sinks: everything that stores, checks or migrates finds its sink here."""

from sinks.clickhouse.sink import ClickHouseSink
from sinks.errors import SinkError
from sinks.ndjson.sink import NdjsonSink
from sinks.sink import Sink

SINKS: tuple[type[Sink], ...] = (ClickHouseSink, NdjsonSink)
"""Every sink. To add one, write its module and add it here; `tests/sinks/test_contract.py` then covers it."""


def sink_for(url: str) -> type[Sink]:
    """The sink that takes URLs of this scheme. Raises `SinkError`, which lists the forms there are.

    >>> sink_for("chdb:///var/lib/cxstream").name
    'clickhouse'
    """
    scheme = url.partition(":")[0]
    for sink in SINKS:
        if scheme in sink.schemes:
            return sink
    forms = ", ".join(f"{sink.url_example} ({sink.setting})" for sink in SINKS)
    raise SinkError(f"no sink takes a URL that begins with {scheme!r}; the forms are {forms}")
