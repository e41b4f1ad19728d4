"""Repeat contact: whether a customer had to come again, charged to the first contact."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from streams.core.derived.derived_record import DerivedRecord
from streams.core.events.fields import (
    CALL,
    CALL_DIRECTIONS,
    CALL_OUTCOMES,
    TICKET,
    TICKET_CHANGES,
    RecordFields,
    contact_facts,
)
from streams.core.ledger.ledger import Entry

WITHIN_MS = 7 * 86_400_000
"""A later contact is a repeat of one at most 7 days before it."""

LEG_MS = 86_400_000
"""Records with the same call number within a day are legs of one call."""

REACH_MS = WITHIN_MS + LEG_MS
"""What attempts further apart than this amount to, they amount to without each other."""

_ANSWERED, _MENU = CALL_OUTCOMES.index("answered"), CALL_OUTCOMES.index("menu")
_INBOUND, _OPENED = CALL_DIRECTIONS.index("inbound"), TICKET_CHANGES.index("opened")
_CALL_NUMBER = 8


def contact_records(attempts: Sequence[Entry]) -> Iterator[DerivedRecord]:
    """The contacts of one customer out of all attempts, oldest first, each with whether another one followed.

    A contact is an answered inbound call or an opened ticket. Any inbound call that got beyond the menu
    counts as coming again, answered or not.
    """
    times = [entry.time for entry in attempts]
    for position, entry in enumerate(attempts):
        if not _is_handled(entry) or _is_later_leg(entry, attempts[:position]):
            continue
        delay = next(
            (a.time - entry.time for a in attempts[bisect_right(times, entry.time) :] if not _same_call(a, entry)), None
        )
        case = DerivedRecord(contact_facts(False), entry.time, entry.dims)
        if delay is None or delay > WITHIN_MS:
            yield case
        else:
            yield case._replace(until=delay)
            yield case._replace(facts=contact_facts(True), after=delay)


def is_contact_attempt(facts: RecordFields) -> bool:
    """Whether a record with these facts says that a customer tried to reach somebody."""
    if facts[0] == CALL:
        return facts[1] != _MENU and facts[2] == _INBOUND
    return facts[0] == TICKET and facts[1] == _OPENED


def _is_handled(entry: Entry) -> bool:
    return entry.fields[0] == TICKET or entry.fields[1] == _ANSWERED


def _is_later_leg(entry: Entry, before: Sequence[Entry]) -> bool:
    has_number = entry.fields[0] == CALL and len(entry.fields) > _CALL_NUMBER
    return has_number and any(_is_handled(other) and _same_call(other, entry) for other in before)


def _same_call(one: Entry, other: Entry) -> bool:
    numbers = (one.fields[_CALL_NUMBER:], other.fields[_CALL_NUMBER:])
    both_calls = one.fields[0] == CALL == other.fields[0]
    return both_calls and numbers[0] == numbers[1] != () and abs(one.time - other.time) <= LEG_MS
