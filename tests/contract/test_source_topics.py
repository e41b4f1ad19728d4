"""`SOURCE_TOPICS` is the list of sources; each place that names them one by one has a test here for a new source."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana import dashboard
from schemas.catalogue import SOURCE_TOPICS, TOPICS
from streams.simulation import Company

PROMETHEUS = Path(__file__).parents[2] / "deploy" / "prometheus"
NAMES = [topic.name for topic in SOURCE_TOPICS]
DAY_MS = 86_400_000


def never_seen(names: list[str]) -> str:
    """The expression of the alert on a source without any event."""
    absent = "\n  or ".join(f'absent(cxstream_last_event_timestamp_seconds{{topic="{name}"}})' for name in names)
    return f'({absent})\nand on () count(up{{job="cxstream-streams"}} == 1) > 0\n'


def rules(text: str) -> dict[str, str]:
    """The expression of each alert, by its name."""
    return {rule["alert"]: rule["expr"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]}


def sources_named_in(text: str) -> set[str]:
    return set(re.findall(r"cx\.[a-z-]+\.v\d+", text))


def rule_tests(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(text)["tests"]
    return found


def test_the_alert_on_sources_never_seen_names_every_source() -> None:
    path = PROMETHEUS / "rules" / "pipeline.yml"
    expected = never_seen(NAMES)
    assert rules(path.read_text())["CxstreamSourceNeverSeen"] == expected, (
        f"write this as the expr of CxstreamSourceNeverSeen in {path}:\n{expected}"
    )


def test_no_other_alert_names_a_topic() -> None:
    naming = {
        alert
        for path in (PROMETHEUS / "rules").glob("*.yml")
        for alert, expression in rules(path.read_text()).items()
        if sources_named_in(expression)
    }
    assert naming == {"CxstreamSourceNeverSeen"}, "select by the label `topic`, so that a new source is covered"


def test_the_rule_test_has_a_series_for_every_source_but_the_one_never_seen() -> None:
    path = PROMETHEUS / "tests" / "pipeline.yml"
    (case,) = (case for case in rule_tests(path.read_text()) if case["name"].startswith("a source that never came"))
    series = sources_named_in(" ".join(entry["series"] for entry in case["input_series"]))
    missing = set(NAMES) - series
    assert len(missing) == 1, f"add a series of each new source to {case['name']!r} in {path}: {sorted(missing)}"


def test_the_dashboard_selects_topics_by_label_and_names_none() -> None:
    named = sources_named_in(dashboard.build()).intersection(topic.name for topic in TOPICS)
    assert named == set(), "draw all topics by their label in deploy/grafana, so that a new source is on the dashboard"


@pytest.fixture(scope="module")
def simulated() -> set[str]:
    """The topics that the simulated company sends to within three days."""
    company = Company(customers=200, history_per_day=2_000)
    return {message.topic for message in company.history(0, 3 * DAY_MS)}


@pytest.mark.parametrize("name", NAMES)
def test_the_simulated_company_has_traffic_of_every_source(simulated: set[str], name: str) -> None:
    assert name in simulated, (
        f"{name}: the simulated company sends no record; add a module that emits them to streams/simulation "
        "and give it a share of the stories in `unfold` of contacts.py"
    )


def test_the_simulated_company_sends_to_no_other_topic(simulated: set[str]) -> None:
    assert simulated <= set(NAMES)
