"""Runs statements on freshly migrated tables, in a process of its own: chDB opens one folder a process."""

import sys

from sinks.clickhouse.address import parse_url
from sinks.clickhouse.connection import connect
from sinks.clickhouse.migrate import migrate

if __name__ == "__main__":
    url, *statements = sys.argv[1:]
    migrate(url)
    connection = connect(parse_url(url))
    for statement in statements:
        print(f"{len(connection.rows(statement))} rows")
    connection.close()
