"""Accumulators form a commutative group, and the result is that of the pooled records."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.events.calls import CALL, CALL_DIRECTIONS, CALL_OUTCOMES
from streams.core.events.derived_kinds import assessment_fields
from streams.core.events.record_fields import RecordFields
from streams.core.events.surveys import SURVEY, SURVEY_KINDS, SURVEY_STATES
from streams.core.scores import SCORES, Accumulator, ComparedScore, Result, Score
from streams.core.scores.contributions import COUNTED_SCORES
from tests.reference import SUMMARIES, Summary
from tests.reference.scores import LEVELS

ANSWERED = SURVEY_STATES.index("answered")
ANSWERS = {"nps": (0, 10), "ces2": (1, 7), "ces1": (1, 5), "csat": (1, 5)}
SCALES = {
    "points": (-100.0, 100.0),
    "ratio": (0.0, 1.0),
    "scale": (1.0, 7.0),
    "seconds": (0.0, math.inf),
    "count": (0.0, math.inf),
}

answers = st.sampled_from(range(len(SURVEY_KINDS))).flatmap(
    lambda kind: st.tuples(
        st.just(SURVEY), st.just(kind), st.just(ANSWERED), st.integers(*ANSWERS[SURVEY_KINDS[kind]]), st.integers(0, 1)
    )
)
unanswered = st.tuples(
    st.just(SURVEY), st.integers(0, len(SURVEY_KINDS) - 1), st.integers(0, 1), st.just(-1), st.integers(0, 1)
)
risks = st.builds(assessment_fields, st.integers(0, 1_000_000), st.booleans())
durations = st.one_of(
    st.sampled_from((-1, 0, 5_000, 5_001, 20_000, 20_001, 9_999, 10_000, 86_400_001)),
    st.integers(0, 600_000),
    st.integers(0, 2**53),
)
calls = st.tuples(
    st.just(CALL),
    st.integers(0, len(CALL_OUTCOMES) - 1),
    st.integers(0, len(CALL_DIRECTIONS) - 1),
    durations,
    durations,
    durations,
    durations,
    st.one_of(st.integers(0, 3), st.just(2**53)),
)
records: st.SearchStrategy[list[RecordFields]] = st.lists(st.one_of(answers, unanswered, risks, calls), max_size=60)
patient = settings(deadline=None)


def accumulate(score: Score, fields: list[RecordFields]) -> Accumulator:
    acc = score.zero()
    for one in fields:
        score.add(acc, score.slots(one))
    return acc


def merged(score: Score, *parts: Accumulator) -> Accumulator:
    acc = score.zero()
    for part in parts:
        score.merge(acc, part)
    return acc


@patient
@given(records, records, records)
def test_merging_is_associative_and_commutative_and_zero_is_neutral(
    a: list[RecordFields], b: list[RecordFields], c: list[RecordFields]
) -> None:
    for score in SCORES:
        x, y, z = (accumulate(score, part) for part in (a, b, c))
        assert merged(score, merged(score, x, y), z) == merged(score, x, merged(score, y, z)), score.name
        assert merged(score, x, y) == merged(score, y, x), score.name
        assert merged(score, x, score.zero()) == x == merged(score, score.zero(), x), score.name


@patient
@given(records, records, st.data())
def test_retracted_records_leave_no_trace_in_any_order(
    kept: list[RecordFields], taken_back: list[RecordFields], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(taken_back))
    for score in SCORES:
        acc = accumulate(score, kept + taken_back)
        for fields in shuffled:
            score.retract(acc, score.slots(fields))
        assert acc == accumulate(score, kept), score.name
        assert 0 not in acc.values(), score.name


@patient
@given(records, records)
def test_a_retraction_may_come_first(kept: list[RecordFields], taken_back: list[RecordFields]) -> None:
    for score in SCORES:
        acc = accumulate(score, kept)
        for fields in taken_back:
            score.retract(acc, score.slots(fields))
        for fields in taken_back:
            score.add(acc, score.slots(fields))
        assert acc == accumulate(score, kept), score.name


def expected_of(name: str, pooled: list[RecordFields]) -> Summary | None:
    return LEVELS[name](pooled, Counter(pooled)) if name in LEVELS else SUMMARIES[name](pooled)


@patient
@given(st.lists(records, max_size=5))
def test_the_result_of_merged_parts_is_that_of_the_pooled_records(parts: list[list[RecordFields]]) -> None:
    pooled = [fields for part in parts for fields in part]
    for score in COUNTED_SCORES:
        acc = merged(score, *(accumulate(score, part) for part in parts))
        computed, expected = score.result(acc), expected_of(score.name, pooled)
        assert (computed is None) == (expected is None), score.name
        if computed is not None and expected is not None:
            assert (computed.n, computed.counts) == (expected.n, expected.counts), score.name
            assert (computed.value, computed.lower, computed.upper) == pytest.approx(
                (expected.value, expected.lower, expected.upper), abs=1.1e-6
            ), score.name


@patient
@given(records, records)
def test_the_comparison_input_of_a_sum_is_the_sum_of_the_inputs(a: list[RecordFields], b: list[RecordFields]) -> None:
    for score in SCORES:
        if isinstance(score, ComparedScore):
            pooled = {own.code: accumulate(own, a + b) for own in score.reads}
            assert score.comparison_input(pooled) == merged(score, accumulate(score, a), accumulate(score, b)), (
                score.name
            )


@patient
@given(records)
def test_value_and_interval_lie_on_the_scale_and_in_order(fields: list[RecordFields]) -> None:
    results = [(score, score.result(accumulate(score, fields))) for score in SCORES]
    for score, computed in results:
        if computed is not None:
            assert in_order(score, computed), f"{score.name}: {computed}"


def in_order(score: Score, result: Result) -> bool:
    lowest, highest = SCALES[score.unit]
    if result.value is None:
        return result.n == 0 and (result.lower, result.upper) == (None, None) and any(result.counts.values())
    if result.lower is None or result.upper is None:
        return lowest <= result.value <= highest and (result.n == 1 or score.unit == "count")
    # the raw NPS may lie outside the adjusted interval when there are few answers
    around = score.unit == "points" or result.lower <= result.value <= result.upper
    return around and lowest <= result.lower <= result.upper <= highest and lowest <= result.value <= highest
