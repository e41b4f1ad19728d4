"""The dashboard is the output of its script, and every query in it is PromQL."""

import json
from typing import Any

import promql_parser
import pytest
import yaml

from deploy.grafana import dashboard
from tests.deploy.tools import DEPLOY

PROVISIONING = DEPLOY / "grafana" / "provisioning"


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(dashboard.build())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def test_the_committed_dashboard_is_what_its_script_writes() -> None:
    assert dashboard.OUTPUT.read_text() == dashboard.build(), "run make dashboard"


@pytest.mark.parametrize("expression", expressions())
def test_every_query_is_promql(expression: str) -> None:
    promql_parser.parse(expression.replace("$__rate_interval", "5m"))


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
