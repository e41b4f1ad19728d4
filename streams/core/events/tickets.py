"""Tickets: every event is one change of one ticket."""

from collections.abc import Sequence

from schemas.catalogue import TICKETS
from schemas.ticket import Ticket
from streams.core.events.entry import Entry
from streams.core.events.evidence import Evidence
from streams.core.events.record_fields import (
    UNKNOWN,
    RecordFields,
    codes_of,
    count_or_unknown,
    ms_or_unknown,
    scaled,
    stable_number,
)
from streams.core.events.source import EventSource

TICKET = 0
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

FIELDS = ("change", "opened_at_ms", "approval", "reassignments", "reopens", "amount_cents", "ticket_number")
CHANGE, OPENED_AT_MS, APPROVAL, REASSIGNMENTS, REOPENS, AMOUNT_CENTS, TICKET_NUMBER = range(1, 8)
"""Positions of the fields."""

_CHANGES = codes_of(TICKET_CHANGES)
_OPENED, _ESCALATED = _CHANGES["opened"], _CHANGES["escalated"]


def read_ticket(event: Ticket) -> RecordFields:
    """The fields of an event; approval is 0, 1 or `UNKNOWN`."""
    return (
        TICKET,
        _CHANGES[event.change],
        ms_or_unknown(event.opened_at),
        UNKNOWN if event.approval is None else int(event.approval),
        count_or_unknown(event.reassignments),
        count_or_unknown(event.reopens),
        scaled(event.amount, 100),
        stable_number(event.record_id),
    )


def _keep(entries: Sequence[Entry], floor_ms: int, has_other_entries: bool) -> frozenset[bytes]:
    """All changes of a ticket whose newest change is young enough: a ticket is as old as its newest change."""
    newest: dict[int, int] = {}
    for entry in entries:
        number = entry.fields[TICKET_NUMBER]
        newest[number] = max(entry.time_ms, newest.get(number, entry.time_ms))
    return frozenset(entry.identity for entry in entries if newest[entry.fields[TICKET_NUMBER]] >= floor_ms)


def _observe(entry: Entry, evidence: Evidence) -> None:
    evidence.ticket_changed(entry)
    change = entry.fields[CHANGE]
    if change == _OPENED:
        evidence.contacted(entry.time_ms)
        evidence.heard_from(entry.time_ms)
    elif change == _ESCALATED:
        evidence.observed("days_since_escalated", entry.time_ms)


def _observe_expired(entry: Entry, evidence: Evidence) -> None:
    evidence.ticket_changed(entry)


SOURCE = EventSource(
    code=TICKET,
    topic=TICKETS,
    fields=FIELDS,
    read=read_ticket,
    each_event_is_a_record=True,
    has_derived_records=True,
    keep=_keep,
    observe=_observe,
    observe_expired=_observe_expired,
)
