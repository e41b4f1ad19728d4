"""The sinks that results can be stored in."""

from sinks.clickhouse.sink import ClickHouseSink

SINKS = (ClickHouseSink,)
"""Every sink; each is built from a URL. A new one is a module here and a line in this tuple."""
