"""The wheel in a clean environment outside the checkout, with the locked demo set: its commands work there."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.deploy.tools import ROOT, find, run

pytestmark = [pytest.mark.io, pytest.mark.timeout(600)]

EXPORT = """\
CUSTOMER_RESPONSE_DATE,NPS_SCORE,SURVEY_SUB_TYPE
01/02/2018 10:00,10,Install
01/02/2018 11:00,9,Install
02/02/2018 09:30,10,Install
02/02/2018 12:00,8,Bill
03/02/2018 08:00,3,Bill
03/02/2018 08:05,,Bill
"""
"""Three promoters, a passive and a detractor: NPS +40. The last row has no score and is rejected."""


class Installation(NamedTuple):
    """An environment that has the wheel, and an empty folder beside it."""

    programs: Path
    folder: Path

    def run(self, program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The program, with no setting and no path of this process; fails the test when it fails."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CXSTREAM_", "PYTHON"))}
        done = subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder, env=kept | variables, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{program} {arguments}: {done.stdout}{done.stderr}"
        return done


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("installed")
    wheels, environment, elsewhere = folder / "wheels", folder / "environment", folder / "elsewhere"
    elsewhere.mkdir()
    run("hatchling", "build", "-t", "wheel", "-d", wheels)
    [wheel] = wheels.glob("cxstream-*.whl")
    python = environment / "bin" / "python"
    run("uv", "venv", "--quiet", "--no-config", "--python", sys.executable, environment, cwd=elsewhere)
    for arguments in (["--require-hashes", "-r", ROOT / "requirements" / "demo.txt"], [wheel]):
        command = [find("uv"), "pip", "install", "--no-config", "--no-deps", "--python", python, *arguments]
        done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, timeout=500, check=False)
        assert done.returncode == 0, done.stderr
    return Installation(python.parent, elsewhere)


def test_the_packages_are_those_of_the_wheel(installation: Installation) -> None:
    script = "import schemas, sinks, streams; print(*(p.__path__[0] for p in (schemas, sinks, streams)), sep='\\n')"
    places = installation.run("python", "-c", script).stdout.splitlines()
    assert len(places) == 3
    assert [place for place in places if not Path(place).is_relative_to(installation.programs.parent)] == []


def test_check_prints_the_settings_and_finds_the_bundled_mappings(installation: Installation) -> None:
    checked = installation.run("cxstream", "check")
    assert tomllib.loads(checked.stdout)["app"]["id"] == "cxstream"
    assert "bank-calls, servicenow, telco-nps" in checked.stderr


def test_migrate_creates_the_tables_once(installation: Installation) -> None:
    url = f"chdb://{installation.folder / 'database'}"
    first, second = [installation.run("cxstream", "migrate", CXSTREAM_CLICKHOUSE_URL=url) for _ in range(2)]
    packaged = sorted(path.stem for path in (ROOT / "sinks").rglob("migrations/*.sql"))
    assert [line for line in (first.stdout + first.stderr).splitlines() if "applied" in line] == [
        f"applied {name}" for name in packaged
    ]
    assert "applied" not in second.stdout + second.stderr
    assert f"{url} is up to date" in second.stdout + second.stderr


def test_try_computes_the_scores_of_an_export(installation: Installation) -> None:
    (installation.folder / "answers.csv").write_text(EXPORT)
    tried = installation.run("cxstream", "try", "telco-nps", "answers.csv", "--format", "ndjson", "--window", "30d")
    rows = {(row["score"], row["cut"], row["cell"]): row for row in map(json.loads, tried.stdout.splitlines())}
    total, bill = rows["nps", "total", "all"], rows["nps", "touchpoint", "Bill"]
    assert (total["value"], total["n"]) == (40.0, 5)
    assert (bill["value"], bill["n"]) == (-50.0, 2)
    assert "6 rows read, 5 sent, 1 rejected" in tried.stderr
    assert "cx.surveys.v1: 5 received = 5 accepted" in tried.stderr
