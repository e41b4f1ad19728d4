"""`cxstream try`: the scores of an export in any folder, and an account of the rows it could not use."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from sinks.clickhouse.address import parse_url
from sinks.clickhouse.connection import connect
from tests.support.commands import in_process, own_process, refusal

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


@pytest.mark.io
def test_the_table_shows_every_cell_and_marks_few_answers(mine: Path) -> None:
    done = own_process("try", "./mine.toml", "export.csv", "--score", "nps", folder=mine, timeout_s=180)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    rows = {(cut, cell): rest for _, cut, cell, *rest in (line for line in lines if line[0] == "nps")}
    assert rows.keys() == {
        ("total", "all"),
        ("audience", "external"),
        ("touchpoint", "checkout"),
        ("touchpoint", "phone"),
    }
    assert rows["touchpoint", "checkout"][:4] == ["30d", "2024-05-20", "13:00", "+25.0"]
    assert rows["touchpoint", "phone"][-2:] == ["1", "*"]
    assert rows["touchpoint", "checkout"][-1] == "20"
    assert done.stdout.splitlines()[-1].startswith("* fewer than 5")
    assert "rejected 1: " in done.stderr
    assert "export.csv:23: " in done.stderr
    assert "cx.surveys.v1: 21 received = 21 accepted" in done.stderr
    assert "windows of 30d; others with --window" in done.stderr


@pytest.mark.io
def test_the_kept_database_has_what_was_printed(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--window", "24h", "--window", "7d", "--cut", "touchpoint", "--every", "7d", "--format", "ndjson"]
    done = own_process("try", "mine.toml", "export.csv", *options, "--keep", "kept", folder=mine, timeout_s=180)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
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
    monkeypatch.chdir(mine)
    line = refusal("try", "mine.toml", "export.csv", "--keep", "kept")
    assert line == "cxstream: --keep kept: the folder is not empty; name a new one"


@pytest.mark.io
def test_an_export_without_a_single_event_ends_with_a_line_that_says_so(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mine / "export.csv").write_text(HEADER + "1,yesterday,c1,phone,9\n")
    monkeypatch.chdir(mine)
    result = in_process("try", "mine.toml", "export.csv")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines()[-1] == "no scores: not one row became an event; see above"
    assert "rejected 1: " in result.stderr


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
    assert reason in refusal("try", *arguments)
