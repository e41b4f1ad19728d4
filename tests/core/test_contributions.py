"""What a record adds to, over all scores, in one flat key."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.contributions import COUNTED, by_score, contribution, flat
from streams.core.scores import SCORES
from streams.core.scores.base import SLOT_LIMIT
from tests.support.facts import FACTS

patient = settings(deadline=None)


@patient
@given(FACTS)
def test_a_contribution_is_that_of_each_score_told_apart_by_its_code(facts: tuple[int, ...]) -> None:
    slots, codes = contribution(facts)
    own = {score.code: dict(score.slots(facts)) for score in COUNTED if score.slots(facts)}
    assert by_score(dict(slots)) == own
    assert codes == tuple(own)


def test_what_says_nothing_adds_nothing() -> None:
    assert contribution(()) == ((), ())


@patient
@given(
    st.sampled_from([score.code for score in SCORES]),
    st.dictionaries(st.integers(0, SLOT_LIMIT - 1), st.integers(-9, 9)),
)
def test_flat_counts_of_one_score_come_apart_again(code: int, counts: dict[int, int]) -> None:
    assert by_score(flat(code, counts)) == ({code: counts} if counts else {})


def test_codes_are_permanent() -> None:
    assert {score.name: score.code for score in SCORES} == {
        "nps": 1,
        "nps_relationship": 2,
        "ces2": 3,
        "ces2_easy": 4,
        "ces1": 5,
        "csat": 6,
        "response_rate": 7,
        "churn_risk": 8,
        "churn_risk_high": 9,
        "offered": 10,
        "abandonment": 11,
        "speed_of_answer": 12,
        "service_level": 13,
        "handle_time": 14,
        "transfers": 15,
        "short_calls": 16,
        "first_reply_time": 17,
        "first_resolution_time": 18,
        "full_resolution_time": 19,
        "reopened": 20,
        "escalated": 21,
        "backlog": 22,
        "autonomy": 23,
        "repeat_contact": 24,
        "first_reply_time_business": 25,
        "first_resolution_time_business": 26,
        "full_resolution_time_business": 27,
        "friction": 40,
        "friction_ces2": 41,
        "speed_guard": 42,
        "newly_at_risk": 50,
        "recovered": 51,
        "revenue_at_risk": 52,
        "churn_rate": 53,
    }
