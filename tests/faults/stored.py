"""What ClickHouse holds, as JSON on stdout: `python -m tests.faults.stored URL`; a chDB folder must be free for it."""

import json
import subprocess
import sys
from contextlib import closing
from typing import Any

from sinks.clickhouse.address import parse_url
from sinks.clickhouse.connection import Connection, connect
from tests.faults.processes import ROOT

SOURCES = ("tickets", "calls", "surveys")


def ask(connection: Connection) -> dict[str, Any]:
    """Addresses of source records, latest scores, latest risks and addresses of rejects."""
    events = [
        row for table in SOURCES for row in connection.rows(f"SELECT topic, partition, offset FROM {table} FINAL")
    ]
    scores = connection.rows(
        "SELECT score, cut, cell, window, toString(end), value, lower, upper, n, counts FROM scores_latest"
    )
    risks = connection.rows("SELECT customer, risk, revision FROM risk_latest")
    rejects = connection.rows("SELECT topic, partition, offset, reason FROM rejects_latest")
    names = ("score", "cut", "cell", "window", "end", "value", "lower", "upper", "n", "counts")
    return {
        "events": [list(row) for row in events],
        "scores": [dict(zip(names, row, strict=True)) for row in scores],
        "risks": {customer: [risk, revision] for customer, risk, revision in risks},
        "rejects": [list(row) for row in rejects],
    }


def stored(url: str) -> dict[str, Any]:
    """The same, asked by a process of its own, for chDB allows one folder per process."""
    asked = subprocess.run(
        [sys.executable, "-m", "tests.faults.stored", url],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    answer: dict[str, Any] = json.loads(asked.stdout)
    return answer


if __name__ == "__main__":
    with closing(connect(parse_url(sys.argv[1]))) as asking:
        json.dump(ask(asking), sys.stdout)
