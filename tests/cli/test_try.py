"""`cxstream try`: an export in, scores out, in any folder; what it says about what it could not use."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from sinks.clickhouse.address import parse_url
from sinks.clickhouse.connection import connect
from streams.cli.main import main

MAPPING = """
topic = "cx.surveys.v1"
[fields]
record_id = "id"
time = "at"
customer = "who"
touchpoint = "where"
survey = { value = "web" }
kind = { value = "nps" }
scale = { value = "0-10" }
score = "score"
"""
HEADER = "id,at,who,where,score\n"
ROWS = (
    *(f"{n},2024-05-{n + 1:02}T10:00:00Z,c{n},checkout,{(10, 10, 8, 0)[n % 4]}\n" for n in range(20)),
    "20,2024-05-20T12:00:00Z,c1,phone,9\n",
    "21,2024-05-20T12:00:00Z,c1,phone,eleven\n",
)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with a mapping and an export: twenty answers of the checkout, one by phone, one that is none."""
    (tmp_path / "mine.toml").write_text(MAPPING)
    (tmp_path / "export.csv").write_text(HEADER + "".join(ROWS))
    return tmp_path


def cxstream(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: text for name, text in os.environ.items() if not name.startswith("CXSTREAM_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "streams.cli.main", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.io
def test_the_table_shows_every_cell_and_marks_few_answers(mine: Path) -> None:
    said = cxstream(mine, "try", "./mine.toml", "export.csv", "--score", "nps")
    assert said.returncode == 0, said.stderr
    lines = [line.split() for line in said.stdout.splitlines()]
    shown = {(cut, cell): rest for _, cut, cell, *rest in (line for line in lines if line[0] == "nps")}
    assert shown.keys() == {
        ("total", "all"),
        ("audience", "external"),
        ("touchpoint", "checkout"),
        ("touchpoint", "phone"),
    }
    assert shown["touchpoint", "checkout"][:4] == ["30d", "2024-05-20", "13:00", "+25.0"]
    assert shown["touchpoint", "phone"][-2:] == ["1", "*"]
    assert shown["touchpoint", "checkout"][-1] == "20"
    assert said.stdout.splitlines()[-1].startswith("* fewer than 5")
    assert "rejected 1: " in said.stderr
    assert "export.csv:23: " in said.stderr
    assert "cx.surveys.v1: 21 received = 21 accepted" in said.stderr
    assert "windows of 30d; others with --window" in said.stderr


@pytest.mark.io
def test_what_is_printed_is_what_is_kept_in_the_database(mine: Path) -> None:
    said = cxstream(
        mine,
        "try",
        "mine.toml",
        "export.csv",
        "--window",
        "24h",
        "--window",
        "7d",
        "--cut",
        "touchpoint",
        "--every",
        "7d",
        "--format",
        "ndjson",
        "--keep",
        "kept",
    )
    assert said.returncode == 0, said.stderr
    records = [json.loads(line) for line in said.stdout.splitlines()]
    assert {(record["cut"], record["window"]) for record in records} == {("touchpoint", "24h"), ("touchpoint", "7d")}
    nps = [r for r in records if (r["score"], r["cell"], r["window"]) == ("nps", "checkout", "7d")]
    assert [(r["end"][:13], r["n"]) for r in nps] == [
        ("2024-05-02T00", 1),
        ("2024-05-09T00", 7),
        ("2024-05-16T00", 7),
        ("2024-05-20T13", 7),
    ]
    with closing(connect(parse_url(f"chdb://{mine / 'kept' / 'clickhouse'}"))) as database:
        [[scores]] = database.rows("SELECT count() FROM scores_history")
        [[answers]] = database.rows("SELECT count() FROM surveys_latest")
    assert (scores, answers) == (len(records), 21)
    again = cxstream(mine, "try", "mine.toml", "export.csv", "--keep", "kept")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == "cxstream: --keep kept: the folder is not empty; name a new one\n"


@pytest.mark.io
def test_an_export_without_a_single_event_is_said_to_be_one(mine: Path) -> None:
    (mine / "export.csv").write_text(HEADER + "1,yesterday,c1,phone,9\n")
    said = cxstream(mine, "try", "mine.toml", "export.csv")
    assert (said.returncode, said.stdout) == (0, "")
    assert said.stderr.splitlines()[-1] == "no scores: not one row became an event; see above"
    assert "rejected 1: " in said.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere.toml", "export.csv"], "nowhere.toml: no such mapping"),
        (["mine.toml", "nowhere.csv"], "nowhere.csv"),
        (["broken.toml", "export.csv"], "fields.scroe"),
        (["mine.toml", "export.csv", "--window", "7"], "--window: not a duration"),
    ],
)
@pytest.mark.io
def test_a_wrong_mapping_file_or_option_is_one_line(
    mine: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    (mine / "broken.toml").write_text(MAPPING.replace('score = "score"', 'scroe = "score"'))
    monkeypatch.chdir(mine)
    said = CliRunner().invoke(main, ["try", *arguments])
    assert (said.exit_code, said.stdout) == (2, ""), said.stderr
    assert len(said.stderr.splitlines()) == 1
    assert reason in said.stderr
