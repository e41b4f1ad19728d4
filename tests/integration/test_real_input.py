"""The real exports end to end: files, broker, agents, topics and database say what the oracle says.

The exports are of different firms; the telecom's answers have no customers, so they are given to
invented ones, and churn risk over them proves the arithmetic and nothing about that telecom.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sinks.clickhouse.address import parse_url
from sinks.clickhouse.connection import connect
from streams import app
from streams.importing.mapping_files import load_mapping
from streams.importing.run import run_import
from streams.importing.summary import ImportSummary
from streams.local.sandbox import Sandbox
from streams.replaying.options import ReplayOptions
from streams.replaying.results import Result, read_results
from streams.replaying.run import print_results
from streams.runtime.replay import TopicCounts, replay
from streams.runtime.replay_extent import extent_of
from streams.settings import Settings
from tests.integration.real_input.expected import EXPORTS, Export, oracle_of
from tests.reference import Oracle, differences
from tests.support.no_progress import NoProgress

pytestmark = [pytest.mark.slow, pytest.mark.io, pytest.mark.timeout(1800)]

EVERY = "28d"
IDENTITY = ("score", "cut", "cell", "window", "end")
FIELDS = (
    *IDENTITY,
    "start",
    "value",
    "lower",
    "upper",
    "n",
    "unit",
    "counts",
    "revision",
    "final",
    "last_event",
    "owner",
)
Record = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """All three exports through everything, in one run."""

    settings: Settings
    imported: list[ImportSummary]
    counted: dict[str, TopicCounts]
    results: list[Result]
    topic: list[Record]
    latest: list[Record]
    history: list[Record]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    for export in EXPORTS:
        assert export.path.exists()
    with Sandbox(ReplayOptions(every=EVERY).narrow(Settings()), tmp_path_factory.mktemp("run")) as sandbox:
        settings = sandbox.settings
        imported, counted, results = asyncio.run(through(sandbox))
    topic = [json.loads(result.raw) for result in results]
    with closing(connect(parse_url(settings.clickhouse.url))) as database:
        columns = ", ".join(f"`{field}`" for field in FIELDS)
        stored = [
            [record_of(row) for row in database.rows(f"SELECT {columns} FROM {view}")]
            for view in ("scores_latest", "scores_history")
        ]
    return Run(settings, imported, counted, results, topic, *stored)


async def through(sandbox: Sandbox) -> tuple[list[ImportSummary], dict[str, TopicCounts], list[Result]]:
    settings = sandbox.settings
    storing = asyncio.create_task(sandbox.start_storing())
    imported = [await run_import(load_mapping(e.mapping), [e.path], settings, NoProgress()) for e in EXPORTS]
    counted = await replay(lambda ends, failed: app.streams(settings, ends, failed), await extent_of(settings), print)
    await storing
    await sandbox.wait_until_stored()
    return imported, counted, await read_results(settings)


@pytest.fixture(scope="module")
def oracle(run: Run) -> Oracle:
    return oracle_of(run.settings, *EXPORTS)


def record_of(row: Sequence[Any]) -> Record:
    """A row of the database as the record it was made of."""
    values = [moment(value) if isinstance(value, datetime) else value for value in row]
    return dict(zip(FIELDS, values, strict=True))


def moment(time: datetime) -> str:
    return f"{time.replace(tzinfo=None).isoformat()}Z"


def last_ends(records: list[Record]) -> dict[str, str]:
    return {record["window"]: record["end"] for record in sorted(records, key=lambda record: str(record["end"]))}


def test_every_row_has_exactly_one_outcome(run: Run) -> None:
    for export, summary in zip(EXPORTS, run.imported, strict=True):
        refused = sum(summary.rejected.values()) + sum(summary.dropped.values())
        assert (summary.rows, summary.sent, summary.sent + refused) == (export.rows, export.sent, export.rows)
        counted = run.counted[export.topic]
        assert counted.received == export.sent == sum(counted.outcomes.values())
        assert counted.outcomes["accepted"] == export.sent


def test_at_the_end_of_the_data_every_window_of_every_cell_is_the_oracles(run: Run, oracle: Oracle) -> None:
    expected = oracle.end_of_data()
    ends = {row["window"]: row["end"] for row in expected}
    found = [record for record in run.topic if record["end"] == ends[record["window"]]]
    assert differences(expected, found) == []
    assert {row["score"] for row in expected} >= {"nps", "response_rate", "churn_risk", "churn_risk_high"}


def test_at_every_boundary_every_window_of_every_cell_is_the_oracles(run: Run, oracle: Oracle) -> None:
    ends = {row["window"]: row["end"] for row in oracle.end_of_data()}
    expected = [dict(row) for row in oracle.boundaries(EVERY)]
    found = [record for record in run.topic if record["end"] != ends[record["window"]]]
    assert differences(expected, found) == []
    events, boundaries = sum(export.sent for export in EXPORTS), {row["end"] for row in expected}
    print(
        f"\n{events:,} events, {len(run.topic):,} results; at {len(boundaries)} boundaries {len(expected):,} windows "
        f"are as the oracle has them, at the end of the data {len(oracle.end_of_data()):,}; the customers of the "
        f"{EXPORTS[2].sent:,} NPS answers are invented"
    )


def test_the_database_has_what_is_in_the_topic(run: Run) -> None:
    newest = last_ends(run.topic)
    assert by_identity(run.history) == by_identity(run.topic)
    latest = {key[:4]: record for key, record in sorted(by_identity(run.topic).items(), key=lambda item: item[0][4])}
    assert {key[:4]: record for key, record in by_identity(run.latest).items()} == latest
    assert newest == last_ends(run.latest)


def by_identity(records: list[Record]) -> dict[tuple[str, ...], Record]:
    indexed = {tuple(str(record[name]) for name in IDENTITY): record for record in records}
    assert len(indexed) == len(records)
    return indexed


def test_every_result_is_printed_as_it_is_in_the_topic(run: Run, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    print_results(run.results, "ndjson")
    assert [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()] == run.topic


TICKETS, *SMALL = EXPORTS


@pytest.mark.parametrize("export", [pytest.param(TICKETS, marks=pytest.mark.long), *SMALL], ids=lambda e: e.mapping)
def test_try_prints_the_oracles_windows(export: Export, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "streams.cli.main", "try", export.mapping, str(export.path), "--format", "ndjson"]
    environment = {name: text for name, text in os.environ.items() if not name.startswith("CXSTREAM_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    tried = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    settings = msgspec.convert({}, Settings)
    printed = [json.loads(line) for line in tried.stdout.splitlines()]
    assert differences(oracle_of(settings, export).end_of_data(), printed) == []
    assert ("invented" in tried.stderr) == (export.mapping == "telco-nps")
