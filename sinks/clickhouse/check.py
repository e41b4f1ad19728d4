"""Whether the database can be used, for `cxstream doctor` and before a worker starts."""

from sinks.clickhouse.address import parse_url
from sinks.clickhouse.connection import connect
from sinks.clickhouse.migrate import migrations, pending, require_migrated
from sinks.sink import SinkStatus

TIMEOUT_S = 5
"""Whole seconds to wait for an answer."""


def require(url: str) -> None:
    """Raise `SinkError` unless a server answers and every migration has been applied.

    A chDB folder is not opened: only the process that stores there may do that.
    """
    address = parse_url(url)
    if address.interface == "chdb":
        return
    connection = connect(address, TIMEOUT_S)
    try:
        require_migrated(connection)
    finally:
        connection.close()


def check(url: str) -> SinkStatus:
    """Connect, and report the version and the last migration.

    A database that answers and is not migrated is reported, not raised. Raises `SinkError`, with the fix, where it
    cannot be reached or used.
    """
    connection = connect(parse_url(url), TIMEOUT_S)
    try:
        missing = pending(connection)
        last = missing[0].name if missing else migrations()[-1].name
        engine = "chDB" if connection.address.interface == "chdb" else "ClickHouse"
        state = f"not migrated, run `cxstream migrate` for {last}" if missing else last
        return SinkStatus(not missing, f"{engine} {connection.version} at {connection.address}: {state}")
    finally:
        connection.close()
