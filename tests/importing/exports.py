"""Small exports for the tests of the importer, and their import without a broker."""

import asyncio
import json
from pathlib import Path
from typing import Any

from streams.importing.mapping_files import load_mapping
from streams.importing.run import spool_events
from streams.importing.sort import Spool
from streams.importing.summary import ImportSummary
from tests.support.no_progress import NoProgress

CALLS = """
topic = "cx.calls.v1"
zone = "Europe/Berlin"
time_format = "%Y-%m-%d %H:%M"
missing = ["", "?"]
[fields]
record_id = "id"
time = "at"
outcome = "outcome"
customer = "who"
wait = { column = "wait_ms", unit = "ms" }
[[drop]]
reason = "test-call"
where = { who = ["robot", "tester"] }
"""
HEADER = "id,at,outcome,who,wait_ms\n"
GOOD = "1,2024-05-01 10:00,answered,ann,1500\n"
SURVEYS = """
topic = "cx.surveys.v1"
[fields]
record_id = "form_response.token"
time = "form_response.submitted_at"
customer = "form_response.hidden.user_id"
survey = { value = "web" }
kind = { value = "nps" }
scale = { value = "0-10" }
score = "form_response.answers.0.number"
"""

Result = tuple[ImportSummary, list[dict[str, Any]]]


def run(folder: Path, mapping: str, *contents: str | bytes, name: str = "export.csv") -> Result:
    """The summary and the events of files with these contents; each event has its message key under `key`."""
    (folder / "mine.toml").write_text(mapping)
    files = []
    for number, content in enumerate(contents):
        path = folder / f"{number}-{name}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        files.append(path)
    return read_files(folder / "mine.toml", files, folder)


def read_files(mapping: str | Path, files: list[Path], folder: Path) -> Result:
    """The summary and the events of these files, imported into a spool."""
    spool = Spool(folder)
    summary = asyncio.run(spool_events(load_mapping(mapping), files, spool, NoProgress()))
    assert summary.rows == summary.ready + sum(summary.rejected.values()) + sum(summary.dropped.values())
    return summary, [json.loads(event.payload) | {"key": event.key.decode()} for event in spool.merged()]


def answer(token: str, user: str | None, score: Any) -> str:
    """One answer to a web form as a line of NDJSON."""
    return (
        json.dumps(
            {
                "form_response": {
                    "token": token,
                    "submitted_at": "2018-01-18T18:17:02Z",
                    "hidden": {"user_id": user},
                    "answers": [{"type": "number", "number": score}],
                }
            }
        )
        + "\n"
    )
