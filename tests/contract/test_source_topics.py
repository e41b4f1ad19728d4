"""`SOURCE_TOPICS` is the list of sources; each place that names them one by one has a test here for a new source."""

import re
from pathlib import Path

import pytest
import yaml

from deploy.grafana import dashboard
from schemas.catalogue import SOURCE_TOPICS, TOPICS
from streams.simulation import Company

PROMETHEUS = Path(__file__).parents[2] / "deploy" / "prometheus"
NAMES = [topic.name for topic in SOURCE_TOPICS]
DAY_MS = 86_400_000


def rules(text: str) -> dict[str, str]:
    """The expression of each alert, by its name."""
    return {rule["alert"]: rule["expr"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]}


def sources_named_in(text: str) -> set[str]:
    return set(re.findall(r"cx\.[a-z-]+\.v\d+", text))


def test_no_alert_names_a_source() -> None:
    naming = {
        alert
        for path in (PROMETHEUS / "rules").glob("*.yml")
        for alert, expression in rules(path.read_text()).items()
        if sources_named_in(expression).intersection(NAMES)
    }
    assert not naming, "select by the label `topic`, so that a new source is covered"


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
    assert name in simulated, f"{name}: give it a valid example; without a module it is simulated from its examples"


def test_the_simulated_company_sends_to_no_other_topic(simulated: set[str]) -> None:
    assert simulated <= set(NAMES)
