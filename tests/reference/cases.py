"""What follows from several records of a customer, as it was known some time after each of them.

Told at the time of a record, from everything up to `ahead` ms later: the naive reading of docs/semantics.md.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import NamedTuple

from tests.reference.contracts import ACCOUNTS, CALLS, TICKET_CHANGES, TICKETS
from tests.reference.events import Event
from tests.reference.summary import Facts

CASE, CONTACT, MEMBER = 5, 6, 8
OPENED, REPLIED, FIRST_SOLVED, SOLVED, RESOLVED, FLOW, HANDED_ON, GRANTED = range(8)
DAY = 86_400_000
Hours = Callable[[int, int], int]
"""Business milliseconds between two times."""


class Told(NamedTuple):
    """Facts at the time and in the cells of an event."""

    event: Event
    facts: Facts


def told(records: list[tuple[Event, bytes]], ahead: int, horizon: int, hours: Hours | None) -> Iterator[Told]:
    """All that is told of one customer, whose records come with the digests that decide at equal times."""
    everything = [e for e, _ in sorted(records, key=lambda r: (r[0].time, r[1]))]
    yield from memberships([e for e in everything if e.place[0] == ACCOUNTS and e.customer])
    ordered = [e for e in everything if e.place[0] in (TICKETS, CALLS)]
    if any(event.customer for event in ordered):
        yield from contacts(ordered, ahead)
    tickets: dict[str, list[list[Event]]] = defaultdict(list)
    for event in ordered:
        if event.place[0] == TICKETS:
            episodes = tickets[event.identity[1]]
            if not episodes or event.time - episodes[-1][-1].time > horizon:
                episodes.append([])
            episodes[-1].append(event)
    for episodes in tickets.values():
        for changes in episodes:
            stories: dict[int, list[Told]] = {}
            for change in changes:
                known = [event for event in changes if event.time <= change.time + ahead]
                if len(known) not in stories:  # as many known ones are the same ones
                    stories[len(known)] = list(story(known, hours))
                yield from (case for case in stories[len(known)] if case.event is change)


def memberships(changes: list[Event]) -> Iterator[Told]:
    """Coming and leaving, where the customer came; and who has left again, when it came."""
    turns_ = [c for n, c in enumerate(changes) if n == 0 or (c.facts[1] == 2) != (changes[n - 1].facts[1] == 2)]
    if turns_ and turns_[0].facts[1] == 2:
        turns_ = turns_[1:]
    for came, went in zip_longest(turns_[::2], turns_[1::2]):
        yield Told(came, (MEMBER, 0))
        if went:
            yield Told(replace(came, time=went.time), (MEMBER, 1))
            yield Told(came, (MEMBER, 2))


def name(change: Event) -> str:
    return TICKET_CHANGES[change.facts[1]]


def story(changes: list[Event], hours: Hours | None) -> Iterator[Told]:
    """All that these changes of one ticket tell."""
    yield from flow(changes)
    if not named(changes, "merged"):
        yield from handed_on(changes)
        yield from solutions(changes, hours)
        for grant in (c for c in changes if name(c) in ("refunded", "replaced")):
            yield Told(grant, (CASE, GRANTED, grant.facts[1], grant.facts[6]))
        for opened in named(changes, "opened")[:1]:
            yield Told(opened, (CASE, OPENED, int(bool(named(changes, "escalated")))))
        for reply in named(changes, "first_reply")[:1]:
            yield Told(reply, (CASE, REPLIED, *taken(changes, reply, hours)))


def named(changes: list[Event], wanted: str) -> list[Event]:
    return [change for change in changes if name(change) == wanted]


def solutions(changes: list[Event], hours: Hours | None) -> Iterator[Told]:
    solved, reopened = turns(changes)
    if solved:
        past = [change for change in changes if change.time <= solved[0].time]
        escalated = int(bool(named(past, "escalated")))
        approved = int(any(change.facts[3] == 1 for change in past))
        unknown = int(all(change.facts[3] == -1 for change in past))
        yield Told(solved[0], (CASE, FIRST_SOLVED, *taken(changes, solved[0], hours)))
        yield Told(solved[0], (CASE, RESOLVED, escalated, approved, int(bool(reopened)), unknown))
        yield Told(solved[-1], (CASE, SOLVED, *taken(changes, solved[-1], hours)))


def turns(changes: list[Event]) -> tuple[list[Event], list[Event]]:
    """Which changes solved the ticket, and which opened it again."""
    solved, reopened, is_solved, reopens = list[Event](), list[Event](), False, 0
    for change in changes:
        if is_solved and (name(change) == "reopened" or change.facts[5] > reopens):
            reopened.append(change)
            is_solved = False
        if not is_solved and name(change) == "solved":
            solved.append(change)
            is_solved = True
        reopens = max(reopens + (name(change) == "reopened"), change.facts[5])
    return solved, reopened


def flow(changes: list[Event]) -> Iterator[Told]:
    """How the ticket came into the backlog and left it."""
    reopened, is_open = turns(changes)[1], None
    for change in changes:
        again = any(change is other for other in reopened)
        if (is_open is None and name(change) == "opened") or (is_open is False and again):
            is_open = True
            yield Told(change, (CASE, FLOW, 1))
        if is_open and name(change) in ("solved", "closed", "merged"):
            is_open = False
            yield Told(change, (CASE, FLOW, -1))


def handed_on(changes: list[Event]) -> Iterator[Told]:
    before = 0
    for change in changes:
        counted = change.facts[4]
        steps = int(name(change) == "reassigned") if counted == -1 else counted - before
        before = max(before, counted)
        if steps > 0:
            yield Told(change, (CASE, HANDED_ON, min(1_000, steps)))


def taken(changes: list[Event], until: Event, hours: Hours | None) -> tuple[int, int]:
    past = [change for change in changes if change.time <= until.time]
    stated = [change.facts[2] for change in past if change.facts[2] != -1]
    opened = [change.time for change in past if name(change) == "opened"]
    created = (stated or opened or [until.time + 1])[0]
    if not 0 <= until.time - created <= 3_652 * DAY:
        return -1, -1
    return until.time - created, -1 if hours is None else hours(created, until.time)


def contacts(records: list[Event], ahead: int) -> Iterator[Told]:
    """Every handled contact, and whether the customer came again within 7 days."""
    attempts = [e for e in records if (e.facts[0] == 1 and e.facts[1] != 2 and e.facts[2] == 0) or is_opened(e)]
    for position, contact in enumerate(attempts):
        legs = [e for e in attempts[:position] if same_call(e, contact) and e.facts[1] == 0]
        if (is_opened(contact) or contact.facts[1] == 0) and not legs:
            later = [e for e in attempts if 0 < e.time - contact.time <= min(7 * DAY, ahead)]
            yield Told(contact, (CONTACT, int(any(not same_call(e, contact) for e in later))))


def is_opened(event: Event) -> bool:
    return event.facts[0] == 0 and name(event) == "opened"


def same_call(one: Event, other: Event) -> bool:
    calls = one.facts[0] == other.facts[0] == 1
    return calls and one.facts[8:] == other.facts[8:] != () and abs(one.time - other.time) <= DAY
