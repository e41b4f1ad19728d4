"""What the ledger keeps of a record: a tuple of integers whose first is the code of its source.

The orders of the enumerations are written into state and therefore permanent: append, never move.
`UNKNOWN` stands for whatever the record does not say.
"""

import math
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from schemas.account import Account
from schemas.call import Call
from schemas.survey import Survey
from schemas.ticket import Ticket

RecordFields = tuple[int, ...]
"""The source's code, then the fields that source's function below lists."""

TICKET, CALL, SURVEY, ACCOUNT, RISK, CASE, CONTACT, BAND, MEMBER = range(9)
"""Codes of the sources and of what is derived from their records, at index 0 of all facts."""

OPENED, REPLIED, FIRST_SOLVED, SOLVED, RESOLVED, FLOW, HANDED_ON, GRANTED = range(8)
"""What is told of a ticket, at index 1 of the facts of a case; see `streams/core/derived/tickets.py`."""

JOINED, LEFT, NEWCOMER_LEFT = range(3)
"""What befell a customer's membership, at index 1; the last is told at the beginning of one that has ended."""

UNKNOWN = -1
SURVEY_KINDS = ("nps", "ces2", "ces1", "csat")
SURVEY_STATES = ("invited", "declined", "answered")
SURVEY_PROGRAMS = ("transactional", "relationship")
CALL_OUTCOMES = ("answered", "abandoned", "menu")
CALL_DIRECTIONS = ("inbound", "outbound")
TICKET_CHANGES = (
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
)
ACCOUNT_CHANGES = ("started", "renewed", "cancelled", "updated")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LIMIT = 2**53
_KIND, _STATE, _PROGRAM, _OUTCOME, _DIRECTION, _TICKET_CHANGE, _ACCOUNT_CHANGE = (
    {name: index for index, name in enumerate(names)}
    for names in (
        SURVEY_KINDS,
        SURVEY_STATES,
        SURVEY_PROGRAMS,
        CALL_OUTCOMES,
        CALL_DIRECTIONS,
        TICKET_CHANGES,
        ACCOUNT_CHANGES,
    )
)


def survey_facts(event: Survey) -> RecordFields:
    """Source, kind, state, score, program; `UNKNOWN` where there is no score.

    >>> from datetime import datetime, UTC
    >>> at = datetime(2024, 1, 1, tzinfo=UTC)
    >>> survey_facts(Survey(event_id="e", record_id="r", time=at, survey="s", kind="csat", score=4))
    (2, 3, 2, 4, 0)
    """
    score = UNKNOWN if event.score is None else int(event.score)
    return SURVEY, _KIND[event.kind], _STATE[event.state], score, _PROGRAM[event.program]


def ticket_facts(event: Ticket) -> RecordFields:
    """Source, change, opened at (ms), approval (0/1), reassignments, reopens, amount (cents), ticket's number."""
    return (
        TICKET,
        _TICKET_CHANGE[event.change],
        _milliseconds_since_1970(event.opened_at),
        UNKNOWN if event.approval is None else int(event.approval),
        _count(event.reassignments),
        _count(event.reopens),
        _scaled(event.amount, 100),
        numbered(event.record_id),
    )


def call_facts(event: Call) -> RecordFields:
    """Source, outcome, direction, wait, talk, hold, after-call work (ms each), transfers, number of the call if any.

    A negative duration is `UNKNOWN`: it costs the scores that need it, not the event.
    """
    facts = (
        CALL,
        _OUTCOME[event.outcome],
        _DIRECTION[event.direction],
        _scaled(event.wait, 1000),
        _scaled(event.talk, 1000),
        _scaled(event.hold, 1000),
        _scaled(event.after_call, 1000),
        _count(event.transfers),
    )
    return (*facts, numbered(event.call_id)) if event.call_id else facts


def contact_facts(repeated: bool) -> RecordFields:
    """Source, whether the customer made contact again within 7 days (0/1)."""
    return CONTACT, int(repeated)


def account_facts(event: Account) -> RecordFields:
    """Source, change, value a year (cents)."""
    return ACCOUNT, _ACCOUNT_CHANGE[event.change], _scaled(event.value, 100)


def risk_facts(risk_ppm: int, high: bool, value: int = UNKNOWN) -> RecordFields:
    """Source, risk in parts per million, whether its band is high (0/1), value a year (cents)."""
    return RISK, risk_ppm, int(high), value


def band_facts(into_high: bool) -> RecordFields:
    """Source, whether a customer's band became high (1) or is high no longer (0)."""
    return BAND, int(into_high)


def member_facts(what: int) -> RecordFields:
    """Source, what befell a customer's membership (`JOINED`, `LEFT`, `NEWCOMER_LEFT`)."""
    return MEMBER, what


def numbered(name: str) -> int:
    """A number below 2⁴⁸ that stands for a name.

    >>> numbered("INC0000045")
    251275761280098
    """
    return int.from_bytes(blake2b(name.encode(), digest_size=6).digest(), "big")


def _milliseconds_since_1970(moment: datetime | None) -> int:
    return UNKNOWN if moment is None else max((moment - _EPOCH) // _MILLISECOND, UNKNOWN)


def _count(value: int | None) -> int:
    return UNKNOWN if value is None else value


def _scaled(value: float | None, scale: int) -> int:
    """`value` in units of 1/`scale`; UNKNOWN where it is negative, not finite or beyond 2⁵³ of them."""
    if value is None or not math.isfinite(value) or not 0 <= value <= _LIMIT / scale:
        return UNKNOWN
    return round(value * scale)
