"""The churn model: contributions add up, evidence decays, no risk without evidence, none from the future."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.churn.churn_model import PPM, Assessment
from streams.core.churn.features import EVIDENCE_CODES
from streams.core.events.accounts import ACCOUNT
from streams.core.events.calls import CALL, CALL_OUTCOMES
from streams.core.events.entry import Entry
from streams.core.events.surveys import SURVEY, SURVEY_KINDS, SURVEY_STATES
from streams.core.events.tickets import TICKET, TICKET_CHANGES
from streams.runtime.churn_model_watch import shipped_churn_model
from tests.reference.contracts import CALLS
from tests.support.arrivals import DAY, HOUR, NOON
from tests.support.pipeline import Pipeline
from tests.support.record_fields import EVIDENCE

ALL = len(EVIDENCE_CODES)
"""How many kinds of evidence there are."""

MODEL = shipped_churn_model()
BASE = 0.02
HALF_LIFE = 14 * DAY
CONTACTS_STEP = 4
ANSWERED, INVITED = SURVEY_STATES.index("answered"), SURVEY_STATES.index("invited")

patient = settings(deadline=None)


def entry(fields: tuple[int, ...], time: int = NOON) -> Entry:
    return Entry(b"record--", 0, time, 0, fields)


def answer(kind: str, score: int, state: int = ANSWERED) -> tuple[int, ...]:
    return SURVEY, SURVEY_KINDS.index(kind), state, score, 0


def call(outcome: str = "answered") -> tuple[int, ...]:
    return CALL, CALL_OUTCOMES.index(outcome), 0, -1, -1, -1, -1, 0


def ticket(change: str) -> tuple[int, ...]:
    return TICKET, TICKET_CHANGES.index(change), -1, -1, -1, -1, -1, 0


def assess(*fields: tuple[int, ...], age: int = 0) -> Assessment:
    return MODEL.assess([entry(f, NOON - age) for f in fields], NOON)


def ppm(assessment: Assessment) -> int:
    assert assessment.ppm is not None
    return assessment.ppm


def odds(assessment: Assessment) -> float:
    risk = assessment.base + sum(points for _, _, points in assessment.contributions)
    return risk / (1 - risk)


histories = st.lists(st.tuples(EVIDENCE, st.integers(0, 90 * DAY)), max_size=12).map(
    lambda known: [entry(fields, NOON - age) for fields, age in known]
)


@patient
@given(histories)
def test_base_and_contributions_add_up_to_the_risk(history: list[Entry]) -> None:
    assessment = MODEL.assess(history, NOON)
    total = assessment.base + sum(points for _, _, points in assessment.contributions)
    assert 0 < total < 1
    if assessment.ppm is not None:
        assert abs(total - assessment.ppm / PPM) <= 0.5 / PPM + 1e-12
        assert assessment.band == MODEL.band(total)


@patient
@given(histories)
def test_a_feature_contributes_once_in_the_order_of_the_table_with_the_sign_of_its_weight(history: list[Entry]) -> None:
    named = [feature for feature, _, _ in MODEL.assess(history, NOON).contributions]
    order = [term.name for term in MODEL.terms]
    assert named == sorted(set(named), key=order.index)
    weights = {term.name: term.coefficient for term in MODEL.terms}
    for name, value, points in MODEL.assess(history, NOON).contributions:
        assert 0 < value <= 1
        assert points * weights[name] > 0


@patient
@given(histories, st.permutations(range(12)))
def test_the_order_of_arrival_makes_no_difference(history: list[Entry], order: list[int]) -> None:
    shuffled = [history[index] for index in order if index < len(history)]
    assert MODEL.assess(shuffled, NOON) == MODEL.assess(history, NOON)


@patient
@given(histories, EVIDENCE, st.integers(1, 90 * DAY))
def test_a_later_event_changes_no_earlier_assessment(history: list[Entry], fields: tuple[int, ...], after: int) -> None:
    assert MODEL.assess([*history, entry(fields, NOON + after)], NOON) == MODEL.assess(history, NOON)


@pytest.mark.parametrize("history", [(), ((ACCOUNT, 0, -1),)])
def test_without_evidence_the_risk_is_unknown_and_neither_0_nor_1(history: tuple[tuple[int, ...], ...]) -> None:
    assessment = assess(*history)
    assert (assessment.ppm, assessment.band, assessment.contributions) == (None, "unknown", ())
    assert assessment.coverage == len(history) / ALL


def test_coverage_is_the_share_of_kinds_of_evidence_there_is() -> None:
    kinds = [ticket("updated"), call(), answer("nps", 8), (ACCOUNT, 0, -1)]
    assert [assess(*kinds[:n]).coverage for n in range(1, 5)] == [1 / ALL, 2 / ALL, 3 / ALL, 4 / ALL]
    assert assess(call(), call()).coverage == 1 / ALL


@pytest.mark.parametrize(
    "neutral",
    [answer("nps", 8), answer("ces2", 5), answer("csat", 4), ticket("opened"), call(), answer("nps", -1, INVITED)],
)
def test_neutral_evidence_leaves_the_base(neutral: tuple[int, ...]) -> None:
    assert assess(neutral).ppm == round(BASE * PPM)
    assert assess(neutral).band == "low"


@pytest.mark.parametrize(
    ("fields", "feature"),
    [
        (answer("nps", 0), "detractor"),
        (answer("nps", 6), "detractor"),
        (answer("nps", 9), "promoter"),
        (answer("ces2", 3), "high_effort"),
        (answer("ces1", 4), "high_effort"),
        (answer("csat", 2), "dissatisfied"),
        (ticket("reopened"), "reopened"),
        (ticket("escalated"), "escalated"),
        (call("abandoned"), "abandoned"),
    ],
)
def test_each_feature_multiplies_the_odds_by_its_coefficient(fields: tuple[int, ...], feature: str) -> None:
    weight = next(term.coefficient for term in MODEL.terms if term.name == feature)
    assessment = assess(fields)
    assert [name for name, _, _ in assessment.contributions] == [feature]
    assert odds(assessment) == pytest.approx(BASE / (1 - BASE) * math.exp(weight))


@pytest.mark.parametrize(
    "fields", [answer("nps", 7), answer("ces2", 4), answer("ces1", 3), answer("csat", 3), answer("nps", 0, INVITED)]
)
def test_the_answer_next_to_a_threshold_does_not_count(fields: tuple[int, ...]) -> None:
    assert assess(fields).contributions == ()


def test_evidence_loses_half_its_weight_in_two_weeks() -> None:
    fresh, half, quarter = (assess(answer("nps", 0), age=n * HALF_LIFE) for n in range(3))
    assert [a.contributions[0][1] for a in (fresh, half, quarter)] == [1.0, 0.5, 0.25]
    assert ppm(fresh) > ppm(half) > ppm(quarter) > BASE * PPM


def test_of_one_kind_only_the_strongest_evidence_counts() -> None:
    both = MODEL.assess([entry(answer("nps", 0), NOON - HALF_LIFE), entry(answer("nps", 3), NOON)], NOON)
    assert both.contributions == assess(answer("nps", 3)).contributions


def test_contacts_are_a_step_at_four() -> None:
    risks = [odds(assess(*[call()] * contacts)) for contacts in range(1, 8)]
    assert len({round(risk, 9) for risk in risks[: CONTACTS_STEP - 1]}) == 1
    assert len({round(risk, 9) for risk in risks[CONTACTS_STEP - 1 :]}) == 1
    assert risks[-1] / risks[0] == pytest.approx(8.43721)


def test_an_opened_ticket_is_a_contact_and_a_change_of_one_is_not() -> None:
    assert ppm(assess(*[ticket("opened")] * 4)) > BASE * PPM
    assert ppm(assess(*[ticket("updated")] * 9)) == BASE * PPM


@pytest.mark.parametrize(("age", "counted"), [(30 * DAY - 1, True), (30 * DAY, False)])
def test_contacts_count_for_thirty_days(age: int, counted: bool) -> None:
    history = [*[entry(call())] * 3, entry(call(), NOON - age)]
    assert (len(MODEL.assess(history, NOON).contributions) == 1) == counted


def test_every_coefficient_says_where_it_comes_from() -> None:
    assert all(term.provenance for term in MODEL.terms)
    assert len({term.name for term in MODEL.terms}) == len(MODEL.terms)


def test_a_former_customer_is_not_at_risk_until_coming_back() -> None:
    account = (ACCOUNT, 0, -1), (ACCOUNT, 2, -1)
    history = [entry(answer("nps", 0), NOON - HOUR), *[entry(a, NOON - DAY + n) for n, a in enumerate(account)]]
    assert MODEL.assess(history, NOON).band == "unknown"
    assert MODEL.assess([*history, entry(account[0], NOON)], NOON).ppm is not None


def test_evidence_older_than_the_horizon_does_not_count_but_an_account_does() -> None:
    history = [entry(answer("nps", 0), NOON - 31 * DAY), entry((ACCOUNT, 0, 120_000), NOON - 300 * DAY)]
    assert MODEL.assess(history, NOON).coverage == 2 / ALL
    later = MODEL.assess(history, NOON + 1)
    assert (later.ppm, later.coverage, later.value) == (None, 1 / ALL, 120_000)


def test_an_assessment_is_made_at_the_newest_event_from_what_was_known_then() -> None:
    stream = Pipeline()
    stream.answer(NOON, 0, customer="c")
    stream.send(CALLS, NOON + HOUR, customer="c", outcome="answered")
    before = stream.result("churn_risk", "24h")
    stream.answer(NOON + HOUR - 1, 9, customer="c", kind="nps")
    after = stream.result("churn_risk", "24h")
    assert before is not None
    assert after is not None
    assert before["n"] == after["n"] == 1
    assert before["value"] > after["value"] > 0.02, "the promoter's answer was known at the call"
