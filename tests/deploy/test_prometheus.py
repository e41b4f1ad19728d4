"""The alert rules: well-formed, each one tested, each one explained, routed as promised."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana import dashboard
from tests.deploy.tools import DEPLOY, ROOT, run

pytestmark = pytest.mark.io
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
TESTS = sorted((DEPLOY / "prometheus" / "tests").glob("*.yml"))
ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"


def alerts() -> list[dict[str, Any]]:
    return [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def fired_in_tests() -> set[str]:
    documents = [yaml.safe_load(path.read_text()) for path in TESTS]
    cases = [case for document in documents for test in document["tests"] for case in test["alert_rule_test"]]
    return {case["alertname"] for case in cases if case.get("exp_alerts")}


def silent_in_tests() -> set[str]:
    documents = [yaml.safe_load(path.read_text()) for path in TESTS]
    cases = [case for document in documents for test in document["tests"] for case in test["alert_rule_test"]]
    return {case["alertname"] for case in cases if not case.get("exp_alerts")}


def test_rules_are_well_formed() -> None:
    assert RULES
    for path in RULES:
        assert "SUCCESS" in run("promtool", "check", "rules", path)


def test_every_rule_test_holds() -> None:
    assert TESTS
    for path in TESTS:
        run("promtool", "test", "rules", path.name, cwd=path.parent)


def test_prometheus_accepts_its_configuration() -> None:
    run("promtool", "check", "config", DEPLOY / "prometheus" / "prometheus.yml")


def test_every_alert_is_shown_firing_and_silent() -> None:
    names = {rule["alert"] for rule in alerts()}
    assert names - fired_in_tests() == set(), "no test in deploy/prometheus/tests shows these firing"
    assert names - silent_in_tests() == {"CxstreamWatchdog"}, "no test in deploy/prometheus/tests shows these silent"


def test_every_alert_has_a_runbook_section_and_every_section_an_alert() -> None:
    sections = set(re.findall(r"^## (Cxstream\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE))
    assert sections == {rule["alert"] for rule in alerts()}
    for rule in alerts():
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


def test_every_alert_says_how_urgent_it_is_and_of_which_layer() -> None:
    for rule in alerts():
        assert rule["labels"]["severity"] in {"page", "ticket", "none"}, rule["alert"]
        assert rule["labels"]["layer"] in {"pipeline", "business", "watchdog"}, rule["alert"]


def test_alertmanager_accepts_its_configuration() -> None:
    assert "SUCCESS" in run("amtool", "check-config", ALERTMANAGER)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=CxstreamWatchdog", "severity=none"], "watchdog"),
        (["alertname=CxstreamLagging", "severity=page"], "default"),
        (["alertname=Anything", "severity=ticket", "owner=nobody-known"], "default"),
    ],
)
def test_every_alert_reaches_a_receiver(labels: list[str], receiver: str) -> None:
    routed = run("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *labels)
    assert routed.splitlines()[0] == receiver


def test_a_broken_pipeline_holds_back_alerts_about_satisfaction() -> None:
    rule = yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"][0]
    assert rule["source_matchers"] == ['layer = "pipeline"', 'severity = "page"']
    assert rule["target_matchers"] == ['layer = "business"']


def test_every_metric_that_is_looked_at_is_exported() -> None:
    sources = [path.read_text() for package in ("streams", "sinks") for path in (ROOT / package).rglob("*.py")]
    exported = set(re.findall(r"cxstream_[a-z_]+", "\n".join(sources)))
    prefixes = tuple(name for name in exported if name.endswith("_"))
    looked_at = set(re.findall(r"cxstream_[a-z_]+", "\n".join([dashboard.build(), *map(Path.read_text, RULES)])))
    bare = {name: re.sub(r"_(total|bucket)$", "", name) for name in looked_at}
    missing = {n for n in looked_at if not {n, bare[n]} & exported and not n.startswith(prefixes or "-")}
    assert missing == set(), "rules or dashboard look at metrics that no worker exports"
