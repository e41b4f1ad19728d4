"""What a demo says before and after: where to look, and what it came to."""

import sys
from pathlib import Path

from schemas.catalogue import SCORES
from streams.local.demonstration.run import Demo
from streams.settings import DEFAULT_FILE, Settings

QUERY = "SELECT cell, value, n FROM scores_latest WHERE score = 'nps' AND cut = 'touchpoint' AND window = '7d'"
"""A first question to the database."""


def welcome(settings: Settings, folder: Path, keep: bool) -> str:
    """What to open while it runs."""
    metrics = settings.metrics
    streams, sinks = (f"http://{metrics.host}:{port}" for port in (metrics.streams_port, metrics.sinks_port))
    kept = "to be opened when the demo has ended" if keep else "gone at the end without --keep FOLDER"
    said = (
        ("streams", f"{streams}/metrics  /healthz  /readyz"),
        ("sinks", f"{sinks}/metrics  /healthz  /readyz"),
        ("broker", f"{settings.kafka.brokers}  for any Kafka client: results in {SCORES.name}"),
        ("database", f"{settings.clickhouse.url}  {kept}"),
        ("", QUERY),
        ("logs", f"{folder}/*.log"),
        ("settings", f"{folder / DEFAULT_FILE}  for other commands: --config"),
    )
    return "\n".join(f"  {name:9} {text}" for name, text in said)


def farewell(demo: Demo, folder: Path, keep: bool) -> str:
    """What it came to, and what is left."""
    sent, machine = sum(demo.sent.values()), demo.machine
    said = [demo.remark] if demo.remark else []
    said.append(f"{sent:,} events sent, {machine.received:,.0f} received; everything has ended")
    if keep:
        said.append(f"kept in {folder}: settings, logs, and the database; look into it with")
        said.append(f"  {sys.executable} -c '{_program(folder)}'")
    return "\n".join(said)


def _program(folder: Path) -> str:
    sql = QUERY.replace("'", "\\x27")  # the whole is in quotes for the shell
    return f'from chdb.session import Session; print(Session("{folder / "chdb"}").query("{sql}", "Pretty"))'
