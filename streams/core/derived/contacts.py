"""Repeat contact: whether a customer had to come again, charged to the first contact."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from streams.core.derived.derived_record import DerivedRecord
from streams.core.events import calls, tickets
from streams.core.events.calls import CALL, CALL_DIRECTIONS, CALL_NUMBER, CALL_OUTCOMES
from streams.core.events.derived_kinds import contact_fields
from streams.core.events.entry import Entry
from streams.core.events.record_fields import RecordFields
from streams.core.events.tickets import TICKET, TICKET_CHANGES
from streams.core.time.instants import DAY_MS

REPEAT_WITHIN_MS = 7 * DAY_MS
"""A later contact is a repeat of one at most 7 days before it."""

LEGS_WITHIN_MS = DAY_MS
"""Records with the same call number within a day are legs of one call."""

REACH_MS = REPEAT_WITHIN_MS + LEGS_WITHIN_MS
"""Two attempts further apart than this do not influence each other."""

_ANSWERED, _MENU = CALL_OUTCOMES.index("answered"), CALL_OUTCOMES.index("menu")
_INBOUND, _OPENED = CALL_DIRECTIONS.index("inbound"), TICKET_CHANGES.index("opened")


def contact_records(attempts: Sequence[Entry]) -> Iterator[DerivedRecord]:
    """The contacts of one customer out of all attempts, oldest first, each with whether another one followed.

    A contact is an answered inbound call or an opened ticket. Any inbound call that got beyond the menu counts as
    coming again, answered or not.
    """
    times = [entry.time_ms for entry in attempts]
    for position, entry in enumerate(attempts):
        if not _is_handled(entry) or _is_later_leg(entry, attempts[:position]):
            continue
        later = attempts[bisect_right(times, entry.time_ms) :]
        delay_ms = next((other.time_ms - entry.time_ms for other in later if not _is_same_call(other, entry)), None)
        contact = DerivedRecord(contact_fields(False), entry.time_ms, entry.dims)
        if delay_ms is None or delay_ms > REPEAT_WITHIN_MS:
            yield contact
        else:
            yield contact._replace(until_ms=delay_ms)
            yield contact._replace(fields=contact_fields(True), after_ms=delay_ms)


def is_contact_attempt(fields: RecordFields) -> bool:
    """Whether a record with these fields says that a customer tried to reach somebody."""
    if fields[0] == CALL:
        return fields[calls.OUTCOME] != _MENU and fields[calls.DIRECTION] == _INBOUND
    return fields[0] == TICKET and fields[tickets.CHANGE] == _OPENED


def _is_handled(entry: Entry) -> bool:
    return entry.fields[0] == TICKET or entry.fields[calls.OUTCOME] == _ANSWERED


def _is_later_leg(entry: Entry, earlier: Sequence[Entry]) -> bool:
    has_number = entry.fields[0] == CALL and len(entry.fields) > CALL_NUMBER
    return has_number and any(_is_handled(other) and _is_same_call(other, entry) for other in earlier)


def _is_same_call(one: Entry, other: Entry) -> bool:
    numbers = (one.fields[CALL_NUMBER:], other.fields[CALL_NUMBER:])
    both_calls = one.fields[0] == CALL == other.fields[0]
    return both_calls and numbers[0] == numbers[1] != () and abs(one.time_ms - other.time_ms) <= LEGS_WITHIN_MS
