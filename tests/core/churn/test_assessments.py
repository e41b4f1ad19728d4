"""The latest assessment of each customer as a record that is counted, moved and taken back."""

import json
from typing import Any

import pytest

from streams.core.churn.assessments import Assessments
from streams.core.ledger.ledger import Ledger
from tests.reference.contracts import ACCOUNTS, CALLS
from tests.reference.windows import moment_of
from tests.support.arrivals import DAY, HOUR, MINUTE, NOON
from tests.support.pipeline import Pipeline
from tests.support.stream import Record

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


def risk(stream: Pipeline, cell: str = "all", window: str = "24h") -> tuple[float, int] | None:
    found = stream.result("churn_risk", window, cell)
    return None if found is None else (found["value"], found["n"])


def test_a_customer_is_counted_once_with_the_latest_assessment() -> None:
    stream = Pipeline()
    for minute in range(5):
        stream.send(CALLS, NOON + minute * MINUTE, customer="c", outcome="answered")
        stream.send(CALLS, NOON + minute * MINUTE, customer="d", outcome="answered")
    found = risk(stream)
    assert found is not None
    assert found[1] == 2


def test_an_assessment_moves_with_its_customer_from_cell_to_cell() -> None:
    stream = Pipeline()
    stream.send(CALLS, NOON, customer="c", outcome="answered", touchpoint="old")
    assert risk(stream, "old") == (0.02, 1)
    stream.send(CALLS, NOON + MINUTE, customer="c", outcome="answered", touchpoint="new")
    assert (risk(stream, "old"), risk(stream, "new")) == (None, (0.02, 1))
    stream.send(CALLS, NOON + 2 * MINUTE, customer="c", outcome="answered")
    assert (risk(stream, "new"), risk(stream)) == (None, (0.02, 1))


def test_an_older_event_adds_evidence_and_leaves_the_assessment_where_it_is() -> None:
    stream = Pipeline()
    stream.send(CALLS, NOON + HOUR, customer="c", outcome="answered", touchpoint="new")
    stream.answer(NOON, 0, customer="c", touchpoint="old", arrival=NOON + HOUR)
    found = risk(stream, "new")
    assert found is not None
    assert found[0] > 0.05
    assert risk(stream, "old") is None


def test_anonymous_records_have_no_risk() -> None:
    stream = Pipeline()
    for customer in (None, "", "0"):
        stream.send(CALLS, NOON, customer=customer, outcome="abandoned")
    assert risk(stream) is None
    assert stream.stage.state.assessments.drain() == []


def test_an_account_alone_is_assessed_unknown_and_counted_nowhere() -> None:
    stream = Pipeline()
    stream.send(ACCOUNTS, NOON, customer="c", change="started")
    assert risk(stream) is None
    stream.send(CALLS, NOON - MINUTE, customer="c", outcome="answered", arrival=NOON)
    assert risk(stream) == (0.02, 1)


def test_a_correction_that_moves_the_newest_event_back_in_time_moves_the_assessment_too() -> None:
    stream = Pipeline()
    stream.send(CALLS, NOON, customer="c", outcome="answered", record_id="k", revision=1, touchpoint="late")
    stream.send(
        CALLS,
        NOON - HOUR,
        customer="c",
        outcome="answered",
        record_id="k",
        revision=2,
        touchpoint="early",
        arrival=NOON,
    )
    assert (risk(stream, "late"), risk(stream, "early")) == (None, (0.02, 1))
    assert risk(stream, "early", "5m") is None


@pytest.mark.parametrize("restarted", [False, True])
def test_the_assessment_before_a_restart_is_taken_back_after_it(restarted: bool) -> None:
    stream = Pipeline()
    stream.send(CALLS, NOON, customer="c", outcome="answered")
    if restarted:
        stream.restart()
    stream.answer(NOON + 1, 0, customer="c")
    found = risk(stream)
    assert found is not None
    assert found[1] == 1


def test_the_customers_that_changed_are_drained_with_a_rising_version() -> None:
    stream = Pipeline()
    versions = []
    for minute in range(3):
        event = json.dumps(
            {
                "event_id": "e",
                "record_id": f"k{minute}",
                "customer": "c",
                "outcome": "answered",
                "time": moment_of(NOON + minute * MINUTE),
            }
        ).encode()
        stream.stage.take(CALLS, [Record(minute, NOON + DAY, None, event)], NOON + DAY)
        [(key, _, assessed, assessment)] = stream.stage.state.assessments.drain()
        assert assessed is not None
        assert assessment is not None
        assert (key, assessed.time_ms, assessment.ppm) == (b"cc", NOON + minute * MINUTE, 20_000)
        versions.append(assessed.version)
    assert versions == [NOON + DAY, NOON + DAY + 1, NOON + DAY + 2]
    assert stream.stage.state.assessments.drain() == []


def test_without_a_model_no_customer_is_assessed() -> None:
    stream = Pipeline(risk={"enabled": False})
    stream.send(CALLS, NOON, customer="c", outcome="abandoned")
    assert risk(stream) is None
    risks = Assessments(None, DAY)
    risks.touch(b"cc")
    assert not risks.enabled
    assert list(risks.assess(Ledger(16), NOON)) == []


def test_the_last_assessment_is_repeated_only_where_there_is_evidence() -> None:
    stream = Pipeline()
    stream.send(CALLS, NOON, customer="c", outcome="answered")
    risks, ledger = stream.stage.state.assessments, stream.stage.state.ledger
    [(key, _, assessed, assessment)] = risks.last_assessed([b"cc"], ledger)
    assert assessed is not None
    assert assessment is not None
    assert (key, assessed.version, assessment.ppm) == (b"cc", NOON, 20_000)
    ledger.forget_before(b"cc", dict.fromkeys(range(4), NOON + DAY))
    assert risks.last_assessed([b"cc"], ledger) == []
    assert risks.last_assessed([b"cnever"], ledger) == [(b"cnever", None, None, None)]


@pytest.mark.parametrize(("older", "counted"), [(3 * DAY, True), (3 * DAY + 1, False)])
def test_evidence_is_at_most_the_horizon_older_than_the_newest_event(older: int, counted: bool) -> None:
    stream = Pipeline()
    stream.answer(NOON - older, 0, customer="c")
    stream.send(CALLS, NOON, customer="c", outcome="answered")
    found = risk(stream, window="7d")
    assert found is not None
    assert (found[0] > 0.02) == counted
