"""Where results go: each sink behind `add`, `flush` and `close`."""

from sinks.clickhouse import ClickHouseSink

SINKS = (ClickHouseSink,)
"""Every sink; each is built from a URL. A new one is a module here and a line in this tuple."""
