"""The milestones of one ticket: first reply, resolutions, what they took, and whether the ticket is open."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from streams.core.derived.derived_record import FOREVER_MS, DerivedRecord
from streams.core.events.derived_kinds import (
    BACKLOG_FLOW,
    FIRST_SOLVED,
    GRANTED,
    OPENED,
    REASSIGNED,
    REPLIED,
    RESOLVED,
    SOLVED,
    TICKET_MILESTONE,
)
from streams.core.events.entry import Entry
from streams.core.events.record_fields import UNKNOWN, RecordFields
from streams.core.events.tickets import (
    AMOUNT_CENTS,
    APPROVAL,
    CHANGE,
    OPENED_AT_MS,
    REASSIGNMENTS,
    REOPENS,
    TICKET_CHANGES,
)
from streams.core.time.business_hours import BusinessHours
from streams.core.time.instants import DAY_MS

LONGEST_DURATION_MS = 3_652 * DAY_MS
"""Durations beyond ten years are taken for errors."""

_MOST_REASSIGNMENTS = 1_000
_CODE = {name: code for code, name in enumerate(TICKET_CHANGES)}


def ticket_records(changes: Sequence[Entry], hours: BusinessHours | None) -> Iterator[DerivedRecord]:
    """The milestones of one ticket from its changes, oldest first.

    A merged ticket leaves everything but the backlog: its other milestones end with the merger.
    """
    milestones = list(_backlog_flow(changes))
    merged = _first(changes, "merged")
    for milestone in _milestones(changes, hours):
        if merged is None:
            milestones.append(milestone)
        elif milestone.time_ms <= merged.time_ms:
            until_ms = min(milestone.until_ms, merged.time_ms - milestone.time_ms)
            milestones.append(milestone._replace(until_ms=until_ms))
    yield from (milestone for milestone in milestones if milestone.after_ms < milestone.until_ms)


def _milestones(changes: Sequence[Entry], hours: BusinessHours | None) -> Iterator[DerivedRecord]:
    yield from _opening(changes)
    reply = _first(changes, "first_reply")
    if reply is not None:
        yield _at(reply, REPLIED, *_durations(changes, reply.time_ms, hours))
    yield from _solutions(changes, hours)
    yield from _reassignments(changes)
    for change in changes:
        if change.fields[CHANGE] in (_CODE["refunded"], _CODE["replaced"]):
            yield _at(change, GRANTED, change.fields[CHANGE], change.fields[AMOUNT_CENTS])


def _opening(changes: Sequence[Entry]) -> Iterator[DerivedRecord]:
    opened, escalated = _first(changes, "opened"), _first(changes, "escalated")
    if opened is not None:
        yield from _changed_by(escalated, _at(opened, OPENED, 0), (TICKET_MILESTONE, OPENED, 1))


def _solutions(changes: Sequence[Entry], hours: BusinessHours | None) -> Iterator[DerivedRecord]:
    solved, reopened = _solved_and_reopened(changes)
    for solution, following in zip_longest(solved, solved[1:]):
        until_ms = FOREVER_MS if following is None else following.time_ms - solution.time_ms
        yield _at(solution, SOLVED, *_durations(changes, solution.time_ms, hours))._replace(until_ms=until_ms)
    if solved:
        first = solved[0]
        before = [change for change in changes if change.time_ms <= first.time_ms]
        escalated = int(_first(before, "escalated") is not None)
        approvals = [change.fields[APPROVAL] for change in before]
        approved, unknown = int(1 in approvals), int(set(approvals) == {UNKNOWN})
        yield _at(first, FIRST_SOLVED, *_durations(changes, first.time_ms, hours))
        resolved = _at(first, RESOLVED, escalated, approved, 0, unknown)
        again = (TICKET_MILESTONE, RESOLVED, escalated, approved, 1, unknown)
        yield from _changed_by(reopened[0] if reopened else None, resolved, again)


def _changed_by(cause: Entry | None, milestone: DerivedRecord, changed: RecordFields) -> Iterator[DerivedRecord]:
    """A milestone whose fields `cause`, if there is one, changes to `changed`."""
    if cause is None:
        yield milestone
        return
    delay_ms = max(cause.time_ms - milestone.time_ms, 0)
    yield milestone._replace(until_ms=delay_ms)
    yield milestone._replace(fields=changed, after_ms=delay_ms)


def _solved_and_reopened(changes: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """The changes that solved the ticket, and those that opened it again."""
    solved, reopened = [], []
    is_solved, reopens = False, 0
    for change in changes:
        name, counted = TICKET_CHANGES[change.fields[CHANGE]], change.fields[REOPENS]
        if is_solved and (name == "reopened" or counted > reopens):
            reopened.append(change)
            is_solved = False
        reopens = max(reopens + (name == "reopened"), counted)
        if name == "solved" and not is_solved:
            solved.append(change)
            is_solved = True
    return solved, reopened


def _backlog_flow(changes: Sequence[Entry]) -> Iterator[DerivedRecord]:
    """When the ticket enters and leaves the backlog."""
    _, reopened = _solved_and_reopened(changes)
    is_open: bool | None = None
    for change in changes:
        name = TICKET_CHANGES[change.fields[CHANGE]]
        if (is_open is None and name == "opened") or (is_open is False and change in reopened):
            is_open = True
            yield _at(change, BACKLOG_FLOW, 1)
        if is_open and name in ("solved", "closed", "merged"):
            is_open = False
            yield _at(change, BACKLOG_FLOW, -1)


def _reassignments(changes: Sequence[Entry]) -> Iterator[DerivedRecord]:
    """Reassignments: by the source's running count where there is one, else one for each such change."""
    before = 0
    for change in changes:
        counted = change.fields[REASSIGNMENTS]
        steps = int(change.fields[CHANGE] == _CODE["reassigned"]) if counted == UNKNOWN else counted - before
        before = max(before, counted)
        if steps > 0:
            yield _at(change, REASSIGNED, min(steps, _MOST_REASSIGNMENTS))


def _durations(changes: Sequence[Entry], time_ms: int, hours: BusinessHours | None) -> tuple[int, int]:
    """Time since the creation (ms), by the calendar and in business hours; `UNKNOWN` where it cannot be told."""
    created_ms = _created_ms([change for change in changes if change.time_ms <= time_ms])
    if created_ms == UNKNOWN or not 0 <= time_ms - created_ms <= LONGEST_DURATION_MS:
        return UNKNOWN, UNKNOWN
    return time_ms - created_ms, UNKNOWN if hours is None else hours.between(created_ms, time_ms)


def _created_ms(changes: Sequence[Entry]) -> int:
    """When the ticket was created: as the first of these changes says, else when it was opened."""
    stated = next((c.fields[OPENED_AT_MS] for c in changes if c.fields[OPENED_AT_MS] != UNKNOWN), None)
    if stated is not None:
        return stated
    opened = _first(changes, "opened")
    return UNKNOWN if opened is None else opened.time_ms


def _first(changes: Sequence[Entry], name: str) -> Entry | None:
    code = _CODE[name]
    return next((change for change in changes if change.fields[CHANGE] == code), None)


def _at(change: Entry, *fields: int) -> DerivedRecord:
    return DerivedRecord((TICKET_MILESTONE, *fields), change.time_ms, change.dims)
