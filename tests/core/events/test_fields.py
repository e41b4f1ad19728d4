from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest

from schemas.account import Account, AccountChange
from schemas.call import Call, Direction, Outcome
from schemas.survey import Kind, Program, State, Survey
from schemas.ticket import Change, Ticket
from streams.core.events import accounts, calls, derived_kinds, surveys, tickets
from streams.core.events.accounts import read_account
from streams.core.events.calls import read_call
from streams.core.events.derived_kinds import assessment_fields, band_change_fields
from streams.core.events.record_fields import UNKNOWN, stable_number
from streams.core.events.surveys import read_survey
from streams.core.events.tickets import read_ticket

AT = datetime(2024, 1, 1, tzinfo=UTC)
WHO: dict[str, Any] = {"event_id": "e", "record_id": "r", "time": AT}


@pytest.mark.parametrize(
    ("names", "contract"),
    [
        (surveys.SURVEY_KINDS, Kind),
        (surveys.SURVEY_STATES, State),
        (surveys.SURVEY_PROGRAMS, Program),
        (calls.CALL_OUTCOMES, Outcome),
        (calls.CALL_DIRECTIONS, Direction),
        (tickets.TICKET_CHANGES, Change),
        (accounts.ACCOUNT_CHANGES, AccountChange),
    ],
)
def test_every_value_of_the_contract_has_a_code(names: tuple[str, ...], contract: object) -> None:
    assert sorted(names) == sorted(get_args(contract)), (
        "append the new value at the END of its tuple in streams/core/events"
    )


def test_codes_are_permanent() -> None:
    message = "state written earlier holds these codes: append, never move or remove"
    assert (tickets.TICKET, calls.CALL, surveys.SURVEY, accounts.ACCOUNT, derived_kinds.ASSESSMENT) == (
        0,
        1,
        2,
        3,
        4,
    ), message
    assert (derived_kinds.TICKET_MILESTONE, derived_kinds.CONTACT) == (5, 6), message
    assert surveys.SURVEY_KINDS[:4] == ("nps", "ces2", "ces1", "csat"), message
    assert surveys.SURVEY_STATES[:3] == ("invited", "declined", "answered"), message
    assert surveys.SURVEY_PROGRAMS[:2] == ("transactional", "relationship"), message
    assert calls.CALL_OUTCOMES[:3] == ("answered", "abandoned", "menu"), message
    assert calls.CALL_DIRECTIONS[:2] == ("inbound", "outbound"), message
    assert tickets.TICKET_CHANGES[:11] == (
        "opened",
        "updated",
        "first_reply",
        "reassigned",
        "escalated",
        "reopened",
        "solved",
        "closed",
        "merged",
        "refunded",
        "replaced",
    ), message
    assert accounts.ACCOUNT_CHANGES[:4] == ("started", "renewed", "cancelled", "updated"), message


def test_a_survey() -> None:
    answered = Survey(**WHO, survey="s", kind="ces1", score="3", program="relationship")
    assert read_survey(answered) == (2, 2, 2, 3, 1)
    assert read_survey(Survey(**WHO, survey="s", kind="nps", state="invited")) == (2, 0, 0, UNKNOWN, 0)
    assert read_survey(Survey(**WHO, survey="s", kind="nps", state="declined")) == (2, 0, 1, UNKNOWN, 0)


def test_a_ticket() -> None:
    opened = datetime(1970, 1, 1, 1, 0, 1, 999_999, tzinfo=timezone(timedelta(hours=1)))
    full = Ticket(**WHO, change="solved", opened_at=opened, approval=False, reassignments=2, reopens=0, amount=12.34)
    assert read_ticket(full) == (0, 6, 1_999, 0, 2, 0, 1_234, stable_number(WHO["record_id"]))
    assert read_ticket(Ticket(**WHO, change="opened")) == (0, 0, *[UNKNOWN] * 5, stable_number(WHO["record_id"]))


def test_a_ticket_opened_before_1970_is_one_of_unknown_age() -> None:
    assert read_ticket(Ticket(**WHO, change="closed", opened_at=datetime(1969, 1, 1, tzinfo=UTC)))[2] == UNKNOWN


def test_a_call() -> None:
    call = Call(
        **WHO, outcome="abandoned", direction="outbound", wait=0.0, talk=1.2345, hold=None, after_call=60, transfers=3
    )
    assert read_call(call) == (1, 1, 1, 0, 1_234, UNKNOWN, 60_000, 3)


@pytest.mark.parametrize("duration", [-0.001, float("nan"), float("inf"), float("-inf"), 1e308])
def test_an_impossible_duration_is_unknown_and_the_event_stays(duration: float) -> None:
    assert read_call(Call(**WHO, outcome="answered", wait=duration, talk=5.0)) == (
        1,
        0,
        0,
        UNKNOWN,
        5_000,
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
    )


def test_an_account() -> None:
    assert read_account(Account(**WHO, change="cancelled", value=99.99)) == (3, 2, 9_999)
    assert read_account(Account(**WHO, change="started", value=-1)) == (3, 0, UNKNOWN)


def test_a_risk() -> None:
    assert assessment_fields(123_456, True) == (4, 123_456, 1, -1)
    assert assessment_fields(1, False, 990) == (4, 1, 0, 990)


def test_a_change_of_band() -> None:
    assert (band_change_fields(True), band_change_fields(False)) == ((7, 1), (7, 0))
