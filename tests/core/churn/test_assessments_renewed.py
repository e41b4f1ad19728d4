"""Assessments as time passes: risks decay and are bounded, a new model takes over, former customers are forgotten."""

from dataclasses import replace
from typing import Any

from streams.core.churn.band_changes import band_changes
from streams.runtime import changelog
from streams.runtime.churn_model_watch import shipped_churn_model
from tests.reference.contracts import ACCOUNTS, CALLS
from tests.support.arrivals import DAY, HOUR, MINUTE, NOON
from tests.support.pipeline import Pipeline
from tests.support.stream import Stage1

SECTIONS: dict[str, dict[str, Any]] = {
    "windows": {"lengths": ["1h", "7d", "60d"], "cuts": ["total", "touchpoint"]},
    "ledger": {"horizon": "31d"},
}


def upset(stream: Pipeline, time: int, customer: str = "c", **fields: Any) -> None:
    """Four calls and a detractor's answer: band high."""
    for minute in range(4):
        stream.send(CALLS, time + minute * MINUTE, customer=customer, outcome="answered", **fields)
    stream.answer(time + 4 * MINUTE, 0, customer=customer, **fields)


def value(stream: Pipeline, score: str, window: str = "60d", now: int | None = None) -> float | None:
    found = stream.result(score, window, now=now)
    return None if found is None else found["value"]


def assessed(stage: Stage1, customer: str = "c") -> tuple[float | None, str]:
    [(_, _, _, assessment)] = stage.state.assessments.last_assessed([b"c" + customer.encode()], stage.state.ledger)
    assert assessment is not None
    return assessment.ppm, assessment.band


def test_risk_decays_with_the_clock_where_it_was_counted_until_nothing_is_known() -> None:
    stream = Pipeline(**SECTIONS)
    stream.answer(NOON, 0, customer="c")
    risks = [value(stream, "churn_risk", now=NOON + days * DAY) for days in (0, 7, 14, 31)]
    known = [risk for risk in risks if risk is not None]
    assert known == sorted(known, reverse=True)
    assert len(set(known)) == 4
    assert value(stream, "churn_risk", now=NOON + 31 * DAY + 1) is None, "unknown, neither healthy nor at risk"


def test_a_customer_that_comes_to_be_at_high_risk_is_newly_at_risk_and_recovers_as_time_passes() -> None:
    stream = Pipeline(**SECTIONS)
    upset(stream, NOON)
    assert [value(stream, name, "1h") for name in ("newly_at_risk", "recovered")] == [1, None]
    assert value(stream, "recovered", now=NOON + 20 * DAY) is None
    assert value(stream, "recovered", now=NOON + 30 * DAY + 3 * MINUTE) == 1, "the contacts are no longer four"
    assert value(stream, "newly_at_risk") == 1
    assert value(stream, "recovered", "1h") == 1, "it recovered now, not when it called"


def test_a_risk_that_becomes_unknown_is_no_recovery_and_one_that_comes_back_high_is_newly_at_risk_again() -> None:
    stream = Pipeline(**SECTIONS)
    upset(stream, NOON)
    assert value(stream, "churn_risk", now=NOON + 40 * DAY) is None
    assert value(stream, "recovered") is None
    upset(stream, NOON + 41 * DAY)
    assert value(stream, "newly_at_risk") == 2


def test_revenue_at_risk_is_the_known_value_of_customers_in_band_high() -> None:
    stream = Pipeline(**SECTIONS)
    for customer, worth in (("a", 1_000.5), ("b", 200.0), ("quiet", 4_000.0)):
        stream.send(ACCOUNTS, NOON - DAY, customer=customer, change="started", value=worth)
    stream.send(CALLS, NOON, customer="quiet", outcome="answered")
    for customer in ("a", "b", "valueless"):
        upset(stream, NOON, customer)
    found = stream.result("revenue_at_risk", "7d")
    assert found is not None
    assert (found["value"], found["n"], found["counts"]) == (1_200.5, 3, {"high": 2, "cents": 120_050})
    stream.send(ACCOUNTS, NOON + HOUR, customer="a", change="cancelled")
    assert value(stream, "revenue_at_risk") == 200, "a former customer is not at risk"


def test_a_call_looks_at_and_assesses_no_more_customers_than_its_limits() -> None:
    stream = Pipeline(**SECTIONS)
    for number in range(10):
        stream.answer(NOON, 0, customer=f"c{number}")
    intake, later = stream.stage.state, NOON + 2 * DAY
    assert intake.renew_assessments(later, DAY, 4, 100)
    assert len(intake.assessments.drain()) == 4
    assert intake.renew_assessments(later, DAY, 100, 3)
    assert len(intake.assessments.drain()) == 3
    assert intake.renew_assessments(later, DAY, 100, 100)
    assert len(intake.assessments.drain()) == 3
    assert not intake.renew_assessments(later, DAY, 100, 100), "none is older than a day any more"
    assert not intake.renew_assessments(later + 3 * DAY, DAY, 100, 100, budget_bytes=0)


def test_another_model_is_taken_over_bit_by_bit_and_exact_in_the_end_and_no_band_has_changed() -> None:
    stream = Pipeline(**SECTIONS)
    for number in range(5):
        upset(stream, NOON, f"c{number}")
    before = value(stream, "newly_at_risk")
    shipped = shipped_churn_model()
    intake, now = stream.stage.state, stream.now
    intake.assessments.model = replace(shipped, high=0.99, version="calm")
    assert intake.renew_assessments(now, DAY, 3, 100)
    assert {a.model.partition("@")[0] for _, _, _, a in intake.assessments.drain() if a is not None} == {"calm"}
    while intake.renew_assessments(now, DAY, 3, 100):
        pass
    stream.checkpoint()
    found = {row["score"]: row["value"] for row in stream.shown_by(stream.windows) if row["window"] == "7d"}
    assert found["churn_risk_high"] == 0
    assert found["newly_at_risk"] == before
    assert "recovered" not in found


def test_state_continues_under_another_model() -> None:
    stream = Pipeline(**SECTIONS)
    stream.answer(NOON, 0, customer="c")
    stage = stream.stage
    stage.definition = replace(stage.definition, churn_model=replace(shipped_churn_model(), intercept=-1.0))
    stage.restart()
    stage.renew(NOON)
    ppm, band = assessed(stage)
    assert ppm is not None
    assert ppm > 400_000
    assert band == "high"


def test_a_customer_gone_from_the_ledger_becomes_unknown_then_is_forgotten_everywhere() -> None:
    stream = Pipeline(**SECTIONS)
    upset(stream, NOON)
    stage, risks = stream.stage, stream.stage.state.assessments
    stage.state.ledger.forget_before(b"cc", dict.fromkeys(range(4), NOON + DAY))
    published = [output for output in stage.renew(NOON + 2 * HOUR) if output.topic == "cx.risk.v1"]
    assert [b'"band":"unknown"' in (output.value or b"") for output in published] == [True]
    assert len(risks) == 1
    published = [output for output in stage.renew(NOON + 3 * HOUR) if output.topic == "cx.risk.v1"]
    assert [(output.key, output.value) for output in published] == [(b"c", None)]
    assert len(risks) == 0
    assert stage.changelog[changelog.RISK + b"cc"] is None
    again = [output for output in stage.restart() if output.topic == "cx.risk.v1"]
    assert [(output.key, output.value) for output in again] == [(b"c", None)]
    assert len(stage.state.assessments) == 0


def test_revisions_rise_also_when_the_state_is_rebuilt() -> None:
    stream = Pipeline(**SECTIONS)
    stream.answer(NOON, 0, customer="c")
    first = stream.stage.state.assessments.last_assessed([b"cc"], stream.stage.state.ledger)[0][2]
    stream.stage.renew(NOON + 1)
    again = Pipeline(**SECTIONS)
    again.answer(NOON, 0, customer="c", arrival=NOON + 2)
    later = again.stage.state.assessments.last_assessed([b"cc"], again.stage.state.ledger)[0][2]
    assert first is not None
    assert later is not None
    assert later.version > first.version + 1


def test_a_replay_finds_the_changes_of_band_at_the_events_that_made_them() -> None:
    stream = Pipeline(**SECTIONS)
    upset(stream, NOON, touchpoint="web")
    stream.answer(NOON + 32 * DAY, 10, customer="c", touchpoint="shop")
    entries = stream.stage.state.ledger.entries(b"cc")
    found = list(band_changes(shipped_churn_model(), entries, NOON + 33 * DAY, 31 * DAY, 60 * DAY))
    answered, last = NOON + 4 * MINUTE, NOON + 32 * DAY
    assert [(change.into_high, change.time_ms) for change in found] == [(True, answered), (False, last)]
    late = band_changes(shipped_churn_model(), entries, NOON + 33 * DAY, 31 * DAY, 2 * DAY)
    assert list(late) == [], "when the longest window began it was at high risk no more"
