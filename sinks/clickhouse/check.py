"""The state of the database in one line, for people who look for what is wrong."""

from sinks.clickhouse.address import parse_url
from sinks.clickhouse.connection import connect
from sinks.clickhouse.migrate import migrations, pending, require_migrated

PATIENCE = 5
"""Whole seconds to wait for an answer."""


def require(url: str) -> None:
    """Raise `SinkError` unless a server answers and every migration has been applied.

    A chDB folder can only be opened by the process that stores there, so nothing is asked of it.
    """
    address = parse_url(url)
    if address.interface == "chdb":
        return
    connection = connect(address, PATIENCE)
    try:
        require_migrated(connection)
    finally:
        connection.close()


def check(url: str) -> str:
    """Connect, ask for version and migrations, and say so in one line.

    A database that is reachable but not migrated is a state, not an error. Raises `SinkError`, with
    one sentence on how to mend it, when it cannot be reached or used.
    """
    connection = connect(parse_url(url), PATIENCE)
    try:
        waiting = pending(connection)
        done = migrations()[-1].name if not waiting else f"not migrated, run `cxstream migrate` for {waiting[0].name}"
        engine = "chDB" if connection.address.interface == "chdb" else "ClickHouse"
        return f"{engine} {connection.version} at {connection.address}: {done}"
    finally:
        connection.close()
