"""What follows from the changes of one ticket: first reply, resolutions, what it took, whether it is open."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from streams.core.derived.derived_record import ALWAYS, DerivedRecord
from streams.core.events.fields import (
    CASE,
    FIRST_SOLVED,
    FLOW,
    GRANTED,
    HANDED_ON,
    OPENED,
    REPLIED,
    RESOLVED,
    SOLVED,
    TICKET_CHANGES,
    UNKNOWN,
    RecordFields,
)
from streams.core.ledger.ledger import Entry
from streams.core.time.business_hours import BusinessHours

LONGEST_MS = 3_652 * 86_400_000
"""Durations beyond ten years are not believed."""

_CHANGE, _OPENED_AT, _APPROVAL, _REASSIGNMENTS, _REOPENS, _AMOUNT = range(1, 7)
_CODE = {name: code for code, name in enumerate(TICKET_CHANGES)}


def ticket_records(changes: Sequence[Entry], hours: BusinessHours | None) -> Iterator[DerivedRecord]:
    """The derived records of one ticket from its changes, oldest first.

    A merged ticket leaves everything but the backlog: what it had told ends with the merger.
    """
    told = list(_flow(changes))
    merged = _first(changes, "merged")
    for case in _tell(changes, hours):
        if merged is None:
            told.append(case)
        elif case.time <= merged.time:
            told.append(case._replace(until=min(case.until, merged.time - case.time)))
    yield from (case for case in told if case.after < case.until)


def _tell(changes: Sequence[Entry], hours: BusinessHours | None) -> Iterator[DerivedRecord]:
    yield from _opening(changes)
    reply = _first(changes, "first_reply")
    if reply is not None:
        yield _at(reply, REPLIED, *_taken(changes, reply.time, hours))
    yield from _solutions(changes, hours)
    yield from _handed_on(changes)
    for change in changes:
        if change.fields[_CHANGE] in (_CODE["refunded"], _CODE["replaced"]):
            yield _at(change, GRANTED, change.fields[_CHANGE], change.fields[_AMOUNT])


def _opening(changes: Sequence[Entry]) -> Iterator[DerivedRecord]:
    opened, escalated = _first(changes, "opened"), _first(changes, "escalated")
    if opened is not None:
        yield from _turning(_at(opened, OPENED, 0), (CASE, OPENED, 1), escalated)


def _solutions(changes: Sequence[Entry], hours: BusinessHours | None) -> Iterator[DerivedRecord]:
    solved, reopened = _turns(changes)
    for solution, following in zip_longest(solved, solved[1:]):
        until = ALWAYS if following is None else following.time - solution.time
        yield _at(solution, SOLVED, *_taken(changes, solution.time, hours))._replace(until=until)
    if solved:
        first = solved[0]
        before = [change for change in changes if change.time <= first.time]
        escalated = int(_first(before, "escalated") is not None)
        approvals = [change.fields[_APPROVAL] for change in before]
        approved, untold = int(1 in approvals), int(set(approvals) == {UNKNOWN})
        yield _at(first, FIRST_SOLVED, *_taken(changes, first.time, hours))
        resolved = _at(first, RESOLVED, escalated, approved, 0, untold)
        again = (CASE, RESOLVED, escalated, approved, 1, untold)
        yield from _turning(resolved, again, reopened[0] if reopened else None)


def _turning(case: DerivedRecord, turned: RecordFields, cause: Entry | None) -> Iterator[DerivedRecord]:
    """A case that `cause`, if there is one, turns into another."""
    if cause is None:
        yield case
        return
    delay = max(cause.time - case.time, 0)
    yield case._replace(until=delay)
    yield case._replace(facts=turned, after=delay)


def _turns(changes: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Which changes solved the ticket, and which opened it again."""
    solved, reopened = [], []
    is_solved, reopens = False, 0
    for change in changes:
        name, counted = TICKET_CHANGES[change.fields[_CHANGE]], change.fields[_REOPENS]
        if is_solved and (name == "reopened" or counted > reopens):
            reopened.append(change)
            is_solved = False
        reopens = max(reopens + (name == "reopened"), counted)
        if name == "solved" and not is_solved:
            solved.append(change)
            is_solved = True
    return solved, reopened


def _flow(changes: Sequence[Entry]) -> Iterator[DerivedRecord]:
    """When it enters and leaves the backlog."""
    _, reopened = _turns(changes)
    is_open: bool | None = None
    for change in changes:
        name = TICKET_CHANGES[change.fields[_CHANGE]]
        if (is_open is None and name == "opened") or (is_open is False and change in reopened):
            is_open = True
            yield _at(change, FLOW, 1)
        if is_open and name in ("solved", "closed", "merged"):
            is_open = False
            yield _at(change, FLOW, -1)


def _handed_on(changes: Sequence[Entry]) -> Iterator[DerivedRecord]:
    """Reassignments: by the source's running count where it has one, else each such change."""
    before = 0
    for change in changes:
        counted = change.fields[_REASSIGNMENTS]
        steps = int(change.fields[_CHANGE] == _CODE["reassigned"]) if counted == UNKNOWN else counted - before
        before = max(before, counted)
        if steps > 0:
            yield _at(change, HANDED_ON, min(steps, 1_000))


def _taken(changes: Sequence[Entry], time: int, hours: BusinessHours | None) -> tuple[int, int]:
    """How long it took from creation (ms), by the calendar and in business hours; `UNKNOWN` where that cannot be."""
    created = _created([change for change in changes if change.time <= time])
    if created == UNKNOWN or not 0 <= time - created <= LONGEST_MS:
        return UNKNOWN, UNKNOWN
    return time - created, UNKNOWN if hours is None else hours.between(created, time)


def _created(changes: Sequence[Entry]) -> int:
    """When the ticket was created (ms): as these changes say, else when it was opened."""
    stated = next((c.fields[_OPENED_AT] for c in changes if c.fields[_OPENED_AT] != UNKNOWN), None)
    if stated is not None:
        return stated
    opened = _first(changes, "opened")
    return UNKNOWN if opened is None else opened.time


def _first(changes: Sequence[Entry], name: str) -> Entry | None:
    code = _CODE[name]
    return next((change for change in changes if change.fields[_CHANGE] == code), None)


def _at(change: Entry, *facts: int) -> DerivedRecord:
    return DerivedRecord((CASE, *facts), change.time, change.dims)
