"""How the records of a source are told apart, ordered and placed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.account import Account
from schemas.call import Call
from schemas.survey import Survey
from schemas.ticket import Ticket
from streams.core.cells.cuts import DIMENSIONS
from streams.core.events import EVENTS
from streams.core.events.identity import identity_of
from tests.reference.contracts import ACCOUNTS, CALLS, SURVEYS, TICKETS

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
NOON_MS = 1_704_110_400_000
BY_TOPIC = {source.topic.name: source for source in EVENTS}
ENVELOPE: dict[str, Any] = {"event_id": "e", "record_id": "r", "time": NOON}
SURVEY: dict[str, Any] = {**ENVELOPE, "survey": "s", "kind": "nps", "score": 9}

patient = settings(deadline=None)


def version(**fields: Any) -> int:
    return BY_TOPIC[CALLS].version(Call(**ENVELOPE, outcome="menu", **fields), NOON_MS)


def test_the_first_field_is_the_code_of_the_source() -> None:
    events = (
        Ticket(**ENVELOPE, change="opened"),
        Call(**ENVELOPE, outcome="menu"),
        Survey(**SURVEY),
        Account(**ENVELOPE, change="started"),
    )
    by_record = {source.topic.record: source for source in EVENTS}
    assert [by_record[type(event)].read(event)[0] for event in events] == [0, 1, 2, 3], "codes are permanent"


@pytest.mark.parametrize("topic", [TICKETS, ACCOUNTS])
def test_each_change_of_a_ticket_or_an_account_is_a_record(topic: str) -> None:
    change = Ticket(**ENVELOPE, change="opened") if topic == TICKETS else Account(**ENVELOPE, change="started")
    assert BY_TOPIC[topic].identify(change) == identity_of(topic, "r", "e")


@pytest.mark.parametrize("topic", [CALLS, SURVEYS])
def test_a_call_and_a_survey_are_one_record_whatever_the_event(topic: str) -> None:
    event = Call(**ENVELOPE, outcome="menu") if topic == CALLS else Survey(**SURVEY)
    assert BY_TOPIC[topic].identify(event) == identity_of(topic, "r")


def test_revision_goes_before_updated_at_goes_before_time() -> None:
    later = NOON + timedelta(seconds=1)
    assert version(revision=3, updated_at=later) == 3
    assert version(revision=0, updated_at=later) == 0
    assert version(updated_at=later) == NOON_MS + 1000
    assert version() == NOON_MS


@patient
@given(st.integers(0, 2**53), st.integers(0, 2**53))
def test_the_state_of_a_survey_decides_only_between_equal_revisions(one: int, other: int) -> None:
    source = BY_TOPIC[SURVEYS]
    states = ("invited", "declined", "answered")
    first = [source.version(Survey(**SURVEY, state=s, revision=one), 0) for s in states]  # type: ignore[arg-type]
    second = [source.version(Survey(**SURVEY, state=s, revision=other), 0) for s in states]  # type: ignore[arg-type]
    assert first == sorted(set(first))
    if one < other:
        assert max(first) < min(second)


def test_dimensions_are_read_in_the_order_asked_for_and_empty_where_the_kind_has_none() -> None:
    event = Survey(**SURVEY, channel="web", team="x")
    assert BY_TOPIC[SURVEYS].dimensions(("team", "channel"))(event) == ("x", "web")
    assert BY_TOPIC[SURVEYS].dimensions(("queue", "channel"))(event) == ("", "web")
    assert BY_TOPIC[SURVEYS].dimensions(("channel",))(event) == ("web",)
    assert BY_TOPIC[SURVEYS].dimensions(())(event) == ()
    assert BY_TOPIC[SURVEYS].dimensions(DIMENSIONS)(event) == ("", "web", "x", "", "", "", "external", "")
    assert BY_TOPIC[CALLS].dimensions(("queue",))(Call(**ENVELOPE, outcome="menu", queue="q")) == ("q",)
