"""The messages of a demo before and after the run: addresses to open, and the totals."""

import sys
from pathlib import Path

from schemas.catalogue import SCORES
from streams.local.demonstration.run import Demo
from streams.settings import DEFAULT_FILE, Settings

QUERY = "SELECT cell, value, n FROM scores_latest WHERE score = 'nps' AND cut = 'touchpoint' AND window = '7d'"
"""An example of a query to the database."""


def welcome(settings: Settings, folder: Path, keep: bool) -> str:
    """The addresses of everything that can be opened while the demo runs."""
    metrics = settings.metrics
    streams, sinks = (f"http://{metrics.host}:{port}" for port in (metrics.streams_port, metrics.sinks_port))
    database = "can be opened when the demo has ended" if keep else "removed at the end without --keep FOLDER"
    lines = (
        ("streams", f"{streams}/metrics  /healthz  /readyz"),
        ("sinks", f"{sinks}/metrics  /healthz  /readyz"),
        ("broker", f"{settings.kafka.brokers}  for any Kafka client: results in {SCORES.name}"),
        ("database", f"{settings.clickhouse.url}  {database}"),
        ("", QUERY),
        ("logs", f"{folder}/*.log"),
        ("settings", f"{folder / DEFAULT_FILE}  for other commands: --config"),
    )
    return "\n".join(f"  {name:9} {text}" for name, text in lines)


def farewell(demo: Demo, folder: Path, keep: bool) -> str:
    """The totals of the run, and where the kept files are."""
    sent, metrics = sum(demo.sent_by_topic.values()), demo.worker_metrics
    lines = [demo.remark] if demo.remark else []
    lines.append(f"{sent:,} events sent, {metrics.received:,.0f} received; everything has ended")
    if keep:
        lines.append(f"kept in {folder}: settings, logs, and the database; query it with")
        lines.append(f"  {sys.executable} -c '{_query_program(folder)}'")
    return "\n".join(lines)


def _query_program(folder: Path) -> str:
    sql = QUERY.replace("'", "\\x27")  # the program stands in single quotes on the command line
    return f'from chdb.session import Session; print(Session("{folder / "chdb"}").query("{sql}", "Pretty"))'
