"""The dashboard is the output of its script, and every query in it is PromQL."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from deploy.grafana import dashboard
from tests.deploy.tools import DEPLOY, ROOT

PROVISIONING = DEPLOY / "grafana" / "provisioning"


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(dashboard.build())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"] if "expr" in target]


def statements() -> list[str]:
    """The SQL of the dashboard, with Grafana's macros and variables filled in as Grafana does."""
    found = [target["rawSql"] for panel in panels() for target in panel["targets"] if "rawSql" in target]
    filled = [re.sub(r"\$__timeFilter\(([^)]+)\)", r"\1 >= toDateTime(0)", sql) for sql in found]
    return [sql.replace("$cut", "total").replace("$window", "24h") for sql in filled]


def test_the_committed_dashboard_is_what_its_script_writes() -> None:
    assert dashboard.OUTPUT.read_text() == dashboard.build(), "run make dashboard"


@pytest.mark.parametrize("expression", expressions())
def test_every_query_is_promql(expression: str) -> None:
    promql_parser.parse(expression.replace("$__rate_interval", "5m"))


@pytest.mark.io
def test_every_statement_runs_on_the_migrated_tables(tmp_path: Path) -> None:
    assert statements()
    done = subprocess.run(
        [sys.executable, "-m", "tests.deploy.run_sql", f"chdb://{tmp_path / 'store'}", *statements()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["0 rows"] * len(statements())


def test_panels_do_not_overlap_and_have_their_own_ids() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        grid = panel["gridPos"]
        area = {
            (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert max(x for x, _ in area) < 24
        assert not area & taken, panel["title"]
        taken |= area
    ids = [panel["id"] for panel in panels()]
    assert len(set(ids)) == len(ids)


def test_panels_use_the_provisioned_data_sources() -> None:
    sources = yaml.safe_load((PROVISIONING / "datasources" / "cxstream.yml").read_text())["datasources"]
    assert {panel["datasource"]["uid"] for panel in panels()} <= {source["uid"] for source in sources}
