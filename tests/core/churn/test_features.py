"""Features as known at a time: none from the future, none too old, and the same as the naive oracle's."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.churn.features import FEATURES, HORIZON_MS, customer_features, features
from streams.core.events.accounts import ACCOUNT
from streams.core.events.calls import CALL
from streams.core.events.entry import Entry
from streams.core.events.surveys import SURVEY
from streams.core.events.tickets import TICKET, TICKET_CHANGES
from streams.runtime.churn_model_watch import shipped_churn_model
from tests.reference.risk import shipped_risk
from tests.support.arrivals import DAY, HOUR, MINUTE, NOON
from tests.support.record_fields import EVIDENCE

patient = settings(deadline=None)
AGES = st.one_of(st.integers(0, 40 * DAY), st.sampled_from((0, 7 * DAY, 14 * DAY, 30 * DAY, 31 * DAY, 31 * DAY + 1)))


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    drawn = draw(st.lists(st.tuples(EVIDENCE, AGES, st.integers(0, 3)), max_size=25))
    return [
        Entry(number.to_bytes(8, "big"), 0, NOON - age, 0, (*fields, 7) if fields[0] == CALL and leg == 0 else fields)
        for number, (fields, age, leg) in enumerate(drawn)
    ]


def ticket(change: str, age: int, number: int = 1, opened: int = -1, reopens: int = -1) -> Entry:
    fields = (TICKET, TICKET_CHANGES.index(change), opened, -1, -1, reopens, -1, number)
    return Entry(f"{change}{age}".encode(), 0, NOON - age, 0, fields)


def call(age: int, *number: int, wait: int = -1, direction: int = 0) -> Entry:
    return Entry(f"call{age}".encode(), 0, NOON - age, 0, (CALL, 0, direction, wait, -1, -1, -1, 1, *number))


@patient
@given(histories())
def test_the_risk_is_the_naive_oracles(history: list[Entry]) -> None:
    ordered = sorted(history, key=lambda entry: (entry.time_ms, entry.identity))
    expected = shipped_risk([(entry.time_ms, entry.fields) for entry in ordered], NOON, HORIZON_MS)
    found = shipped_churn_model().assess(history, NOON, HORIZON_MS)
    if expected is None:
        assert found.ppm is None
    else:
        assert (found.ppm, found.band == "high", found.value) == expected


@patient
@given(histories(), st.integers(0, 24), st.integers(1, DAY), st.integers(0, 35 * DAY))
def test_shifting_one_event_by_a_day_changes_no_earlier_risk(
    history: list[Entry], which: int, later: int, before: int
) -> None:
    at = NOON - before
    shifted = [
        replace_time(entry, max(entry.time_ms, at + later) + DAY) if number == which else entry
        for number, entry in enumerate(history)
    ]
    kept = [entry for number, entry in enumerate(history) if number != which or entry.time_ms <= at]
    without = [entry for number, entry in enumerate(history) if number != which]
    assert features(shifted, at) == features(without, at)
    assert features([e for e in kept if e.time_ms <= at], at) == features(kept, at)


def replace_time(entry: Entry, time: int) -> Entry:
    return Entry(entry.identity, entry.version, time, entry.dims, entry.fields)


@patient
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_difference(history: list[Entry], chance: object) -> None:
    shuffled = list(history)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert customer_features(shuffled, NOON) == customer_features(history, NOON)


@patient
@given(histories())
def test_every_feature_is_in_the_catalogue_and_none_is_negative(history: list[Entry]) -> None:
    found = features(history, NOON)
    assert found.keys() <= FEATURES.keys()
    assert all(value >= 0 for value in found.values())


def test_without_evidence_nothing_is_known() -> None:
    assert features([], NOON) == {}
    assert features([call(32 * DAY)], NOON) == {}


def test_contacts_are_inbound_calls_and_opened_tickets_and_legs_count_once() -> None:
    legs = [call(HOUR, 5), call(HOUR - MINUTE, 5), call(HOUR - 2 * MINUTE, 6)]
    assert features(legs, NOON)["contacts"] == 2
    assert features([call(DAY, direction=1), ticket("updated", DAY), ticket("opened", DAY)], NOON)["contacts"] == 1


def test_a_contact_is_repeated_within_seven_days_of_the_one_before() -> None:
    found = features([call(20 * DAY), call(13 * DAY), call(6 * DAY - 1)], NOON)
    assert (found["contacts"], found["repeat_contacts"]) == (3, 1)


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ([ticket("opened", 3 * DAY)], 3),
        ([ticket("opened", 3 * DAY, opened=NOON - 9 * DAY)], 9),
        ([ticket("updated", 2 * DAY)], 2),
        ([ticket("opened", 3 * DAY), ticket("solved", DAY)], None),
        ([ticket("opened", 3 * DAY), ticket("solved", 2 * DAY), ticket("reopened", DAY)], 3),
        ([ticket("opened", 3 * DAY), ticket("merged", 2 * DAY), ticket("updated", DAY)], None),
        ([ticket("opened", 3 * DAY), ticket("solved", 3 * DAY)], None),
        ([ticket("opened", 3 * DAY), ticket("closed", 2 * DAY), ticket("opened", DAY, number=2)], 1),
        ([ticket("opened", 45 * DAY), ticket("updated", 30 * DAY)], 45),
        ([ticket("opened", 45 * DAY), call(DAY)], None),
    ],
)
def test_a_ticket_waits_until_it_is_resolved(changes: list[Entry], days: float | None) -> None:
    assert features(changes, NOON).get("days_unresolved") == days


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ([ticket("opened", 3 * DAY), ticket("reopened", 2 * DAY), ticket("updated", DAY)], 2),
        ([ticket("opened", 4 * DAY, reopens=0), ticket("updated", 2 * DAY, reopens=1)], 2),
        ([ticket("solved", 4 * DAY), ticket("updated", 2 * DAY, reopens=1)], 2),
        ([ticket("solved", 4 * DAY, reopens=1), ticket("solved", 2 * DAY, reopens=1)], None),
        ([ticket("updated", 4 * DAY, reopens=2), ticket("updated", 2 * DAY, number=2, reopens=3)], None),
        ([ticket("opened", 40 * DAY), ticket("updated", 32 * DAY, reopens=1), ticket("updated", DAY)], None),
    ],
)
def test_a_ticket_was_reopened_also_where_only_its_count_of_reopenings_grows(
    changes: list[Entry], days: float | None
) -> None:
    assert features(changes, NOON).get("days_since_reopened") == days


def test_a_reopening_that_was_named_is_not_counted_again_when_its_count_comes() -> None:
    changes = [ticket("solved", 6 * DAY), ticket("reopened", 5 * DAY), ticket("solved", 4 * DAY)]
    late = ticket("updated", DAY, reopens=1)
    assert features([*changes, late], NOON)["days_since_reopened"] == 5
    assert "days_unresolved" not in features([*changes, late], NOON)


def test_transfers_are_unknown_when_no_call_states_them() -> None:
    def told(age: int, transfers: int) -> Entry:
        return Entry(str(age).encode(), 0, NOON - age, 0, (CALL, 0, 0, -1, -1, -1, -1, transfers))

    assert "transfers" not in features([told(HOUR, -1)], NOON)
    assert features([told(HOUR, -1), told(DAY, 0)], NOON)["transfers"] == 0
    assert features([told(DAY, 2), told(HOUR, -1)], NOON)["transfers"] == 2
    assert features([ticket("opened", HOUR)], NOON)["transfers"] == 0


def test_a_ticket_that_counts_one_more_reopening_waits_again() -> None:
    changes = [ticket("opened", 5 * DAY), ticket("solved", 3 * DAY, reopens=0), ticket("updated", DAY, reopens=1)]
    assert features(changes, NOON)["days_unresolved"] == 5
    assert "days_unresolved" not in features([*changes, ticket("solved", HOUR, reopens=1)], NOON)


def test_a_wait_of_more_than_a_day_is_not_believed() -> None:
    assert features([call(1, wait=30_000), call(2, wait=86_400_001), call(3)], NOON)["longest_wait"] == 30
    assert "longest_wait" not in features([call(1)], NOON)


def test_an_account_tells_tenure_and_value_at_any_age() -> None:
    def account(age: int, change: int, cents: int) -> Entry:
        return Entry(str(age).encode(), 0, NOON - age, 0, (ACCOUNT, change, cents))

    history = [account(400 * DAY, 0, 50_000), account(100 * DAY, 3, 80_000), account(10 * DAY, 1, -1)]
    assert features(history, NOON) == {
        "contacts": 0,
        "repeat_contacts": 0,
        "transfers": 0,
        "tenure_days": 400,
        "yearly_value": 800,
    }
    assert features(history, NOON - 200 * DAY)["yearly_value"] == 500
    assert customer_features([*history, account(DAY, 2, -1)], NOON).left
    assert not customer_features([*history, account(DAY, 2, -1)], NOON - 2 * DAY).left


def test_an_answer_ends_silence_and_an_invitation_does_not() -> None:
    answered, invited = (SURVEY, 0, 2, 8, 0), (SURVEY, 0, 0, -1, 0)
    heard = [Entry(b"a", 0, NOON - 3 * DAY, 0, answered), Entry(b"b", 0, NOON - DAY, 0, invited)]
    assert features(heard, NOON)["silence_days"] == 3


def test_an_edited_model_has_another_name() -> None:
    model = shipped_churn_model()
    other = replace(model, terms=(replace(model.terms[0], coefficient=1.1), *model.terms[1:]))
    renamed = replace(model, terms=(replace(model.terms[0], provenance="a survey of ours"), *model.terms[1:]))
    assert model.name != other.name
    assert model.name == renamed.name
