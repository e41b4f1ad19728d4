"""The latest assessment of each customer as a record that is counted, moved and taken back."""

from typing import Any

from tests.support.arrivals import MINUTE, NOON
from tests.support.pipeline import Pipeline

MINUTES: dict[str, dict[str, Any]] = {
    "windows": {"lengths": ["60s"], "cuts": ["total"]},
    "lateness": {"allowance": "1m"},
}


def test_an_event_ahead_of_its_arrival_closes_no_pane_of_assessments() -> None:
    stream = Pipeline(**MINUTES)
    stream.answer(NOON + 10 * MINUTE, 0, customer="ahead", arrival=NOON)
    stream.answer(NOON, 0, customer="in-time")
    risk = stream.result("churn_risk", "60s")
    assert risk is not None
    assert risk["n"] == 1
