import importlib
import pkgutil
import re
from hashlib import blake2b
from pathlib import Path
from typing import Any, get_args

import pytest

import streams.core.scores as package
from streams.core.cells.cuts import Cut
from streams.core.events.calls import CALL, CALL_DIRECTIONS, CALL_OUTCOMES
from streams.core.events.derived_kinds import (
    GRANTED,
    REASSIGNED,
    TICKET_MILESTONE,
    assessment_fields,
    band_change_fields,
    membership_fields,
)
from streams.core.events.record_fields import RecordFields
from streams.core.events.surveys import SURVEY, SURVEY_KINDS, SURVEY_PROGRAMS, SURVEY_STATES
from streams.core.scores import SCORES, ComparedScore, Score, Unit
from streams.core.scores.base import SLOT_LIMIT
from streams.core.stage1.definition import STATE_FORM
from tests.support.record_fields import DERIVED_SAMPLES

PERMANENT = {
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
ANSWERS = {"nps": (0, 10), "ces2": (1, 7), "ces1": (1, 5), "csat": (1, 5)}
SAMPLE: list[RecordFields] = [
    *(
        (SURVEY, kind, SURVEY_STATES.index("answered"), answer, program)
        for kind, name in enumerate(SURVEY_KINDS)
        for answer in range(ANSWERS[name][0], ANSWERS[name][1] + 1)
        for program in range(len(SURVEY_PROGRAMS))
    ),
    *((SURVEY, kind, state, -1, 0) for kind in range(len(SURVEY_KINDS)) for state in (0, 1)),
    assessment_fields(0, False),
    assessment_fields(1_000_000, True, 120_000),
    band_change_fields(True),
    band_change_fields(False),
    *(
        (CALL, outcome, direction, wait, talk, 0, 30_000, transfers)
        for outcome in range(len(CALL_OUTCOMES))
        for direction in range(len(CALL_DIRECTIONS))
        for wait in (-1, 0, 5_000, 20_001, 2**53)
        for talk in (-1, 0, 9_999, 86_400_000, 2**53)
        for transfers in (-1, 0, 2, 2**53)
    ),
    *DERIVED_SAMPLES,
    *(membership_fields(change) for change in range(3)),
]
COUNTED_BESIDE = (
    (TICKET_MILESTONE, REASSIGNED),
    (TICKET_MILESTONE, GRANTED),
    *(membership_fields(change) for change in range(3)),
)
"""Records that are counted beside a share without being part of its n, and customers who join an empty cell."""

each_score = pytest.mark.parametrize("score", SCORES, ids=lambda score: str(score.name))


def subclasses(kind: type[Any]) -> set[type[Any]]:
    return {kind}.union(*(subclasses(child) for child in kind.__subclasses__()))


def test_codes_and_names_are_never_reused() -> None:
    assert {score.name: score.code for score in SCORES} == PERMANENT, (
        "state holds these codes: give a new score a code of its own and add it to PERMANENT; change no other"
    )
    assert len(SCORES) == len(set(PERMANENT.values()))
    assert all(code > 0 for code in PERMANENT.values())


def test_every_score_class_is_registered() -> None:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    concrete = {
        kind
        for kind in subclasses(Score)
        if kind.__module__.startswith(package.__name__) and not getattr(kind, "__abstractmethods__", None)
    }
    missing = concrete - {type(score) for score in SCORES}
    assert not missing, f"add to SCORES in streams/core/scores/__init__.py: {missing}"


@each_score
def test_its_name_is_a_plain_word_and_its_unit_a_known_one(score: Score) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{1,40}", score.name)
    assert score.unit in get_args(Unit)


@each_score
def test_it_is_described_in_the_semantics(score: Score) -> None:
    semantics = Path(__file__).parents[2] / "docs" / "semantics.md"
    assert f"| `{score.name}` |" in semantics.read_text(), f"add a row for {score.name} to docs/semantics.md"


@each_score
def test_it_counts_some_records_in_slots_that_fit(score: Score) -> None:
    contributions = [slot for fields in SAMPLE for slot in score.slots(fields)]
    assert contributions, f"no record in SAMPLE contributes to {score.name}: add one"
    assert all(0 <= slot < SLOT_LIMIT and amount >= 0 for slot, amount in contributions)


@each_score
@pytest.mark.parametrize(
    "fields", [(0, 0, *[-1] * 5), (1, 0, 0, *[-1] * 4, 0), (3, 0, -1)], ids=["ticket", "call", "account"]
)
def test_it_accepts_the_fields_of_every_source(score: Score, fields: RecordFields) -> None:
    assert isinstance(score.slots(fields), tuple)


@each_score
def test_it_counts_no_record_of_another_source_than_it_says(score: Score) -> None:
    others = [fields for fields in SAMPLE if score.source not in (None, fields[0])]
    assert not [fields for fields in others if score.slots(fields)]


def test_the_contribution_of_a_record_changes_only_with_the_form_of_the_state() -> None:
    added = repr([(score.name, [score.slots(fields) for fields in SAMPLE]) for score in SCORES])
    assert (STATE_FORM, blake2b(added.encode(), digest_size=8).hexdigest()) == (3, "2299eeb66dd277e4"), (
        "another version would retract what was never added: raise STATE_FORM (unless only SAMPLE has changed)"
    )


@each_score
def test_an_empty_accumulator_has_no_result_and_any_other_has_one(score: Score) -> None:
    assert score.result(score.zero()) is None
    for fields in SAMPLE:
        acc = score.zero()
        score.add(acc, score.slots(fields))
        computed = score.result(acc)
        assert (computed is None) == (acc == {} or fields[:2] in COUNTED_BESIDE or isinstance(score, ComparedScore))
        if computed is not None:
            assert (computed.n >= 1) == (computed.value is not None)
            assert all(isinstance(count, int) for count in computed.counts.values())


@each_score
def test_two_empty_accumulators_are_separate_objects(score: Score) -> None:
    first, second = score.zero(), score.zero()
    for fields in SAMPLE:
        score.add(first, score.slots(fields))
    assert second == {}
    assert first != {}


@each_score
def test_it_compares_the_counts_of_registered_scores_in_valid_cuts(score: Score) -> None:
    if isinstance(score, ComparedScore):
        registered = {other.code: type(other) for other in SCORES if not isinstance(other, ComparedScore)}
        assert all(registered[own.code] is type(own) for own in score.reads)
        assert [Cut.parse(cut).name for cut in score.cuts] == list(score.cuts)
