"""What is known of a customer at a time, as named numbers: the stream and a fit read the same ones here."""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from streams.core.events.fields import (
    ACCOUNT,
    CALL,
    CALL_DIRECTIONS,
    CALL_OUTCOMES,
    SURVEY,
    SURVEY_STATES,
    TICKET,
    UNKNOWN,
    RecordFields,
)
from streams.core.events.fields import TICKET_CHANGES as CHANGES
from streams.core.ledger.ledger import Entry
from streams.core.ledger.retention import CANCELLED, STARTED

DAY = 86_400_000
HORIZON = 31 * DAY
"""How old evidence may be, in ms, where nothing else is configured; account events may be older."""

CONTACTS_WITHIN = 30 * DAY
REPEATED_WITHIN = 7 * DAY
LONGEST_WAIT_MS = 24 * 3_600_000

FEATURES = {
    "days_since_detractor": "days since the newest NPS answer of 0-6",
    "days_since_promoter": "days since the newest NPS answer of 9-10",
    "days_since_high_effort": "days since the newest CES 2.0 answer of 1-3 or CES 1.0 answer of 4-5",
    "days_since_dissatisfied": "days since the newest CSAT answer of 1-2",
    "contacts": "inbound calls (the legs of one count once) and opened tickets in the last 30 days",
    "repeat_contacts": "those of them that came within 7 days of the one before",
    "days_since_abandoned": "days since the caller last hung up in the queue",
    "longest_wait": "longest known wait of an inbound call, seconds",
    "transfers": "transfers of inbound calls, those known; absent where of none of them it is known",
    "days_since_reopened": "days since a ticket was last reopened, or counted one more reopening",
    "days_since_escalated": "days since a ticket was last escalated",
    "days_unresolved": "age in days of the oldest ticket that is not solved, closed or merged",
    "silence_days": "days since the last contact or answer",
    "tenure_days": "days since the account was last started",
    "yearly_value": "newest known value of the account, currency units a year",
}
"""Every feature with its meaning. One that is not known is absent; counts are 0 once there is any evidence."""

_ANSWERED, _INBOUND, _ABANDONED = (
    SURVEY_STATES.index("answered"),
    CALL_DIRECTIONS.index("inbound"),
    CALL_OUTCOMES.index("abandoned"),
)
_OPENED, _ESCALATED, _REOPENED = (CHANGES.index(name) for name in ("opened", "escalated", "reopened"))
_RESOLVING = frozenset(CHANGES.index(name) for name in ("solved", "closed", "merged"))
_LOW_ANSWERS = ((6, "days_since_detractor"), (3, "days_since_high_effort"), (-1, ""), (2, "days_since_dissatisfied"))


class CustomerFeatures(NamedTuple):
    """The features, the codes of the sources there is evidence from, and whether the customer has left."""

    features: dict[str, float]
    kinds: frozenset[int]
    left: bool

    @property
    def is_evidence(self) -> bool:
        """Whether there is anything to judge by: an account alone says nothing, and who has left is not at risk."""
        return not self.left and not self.kinds.isdisjoint((TICKET, CALL, SURVEY))


def features(entries: Iterable[Entry], at: int, horizon: int = HORIZON) -> dict[str, float]:
    """The features as known at `at` (ms): from entries with times up to then and not more than `horizon` ms older.

    Two calls, the first of which was abandoned two days ago:

    >>> gone, served = (CALL, _ABANDONED, 0, 9_000, -1, -1, -1, 0), (CALL, 0, 0, 5_000, 60_000, -1, -1, 1)
    >>> known = features([Entry(b"a", 0, 0, 0, gone), Entry(b"b", 0, DAY, 0, served)], 2 * DAY)
    >>> known["contacts"], known["repeat_contacts"], known["longest_wait"], known["days_since_abandoned"]
    (2.0, 1.0, 9.0, 2.0)
    """
    return customer_features(entries, at, horizon).features


def customer_features(entries: Iterable[Entry], at: int, horizon: int = HORIZON) -> CustomerFeatures:
    """The features as `features` gives them, with what else decides whether there is a risk to state."""
    evidence, floor = _Evidence(), at - horizon
    kinds = set[int]()
    for entry in entries:
        kind = entry.fields[0]
        if entry.time > at:
            continue
        if entry.time >= floor or kind == ACCOUNT:
            kinds.add(kind)
            _READERS[kind](evidence, entry)
        elif kind == TICKET:  # its ticket may still be waiting
            evidence.change(entry)
    return CustomerFeatures(evidence.at(at, floor) if kinds else {}, frozenset(kinds), evidence.has_left())


class _Evidence:
    """What one pass over the entries gathers; times in ms."""

    __slots__ = (
        "accounts",
        "calls",
        "contacts",
        "newest",
        "silent_since",
        "tickets",
        "told",
        "transfers",
        "untold",
        "wait",
    )

    def __init__(self) -> None:
        self.newest: dict[str, int] = {}
        self.contacts: list[int] = []
        self.calls: dict[int, int] = {}
        self.tickets: list[tuple[int, bool, RecordFields]] = []
        self.accounts: list[tuple[int, bytes, RecordFields]] = []
        self.silent_since: int | None = None
        self.wait = UNKNOWN
        self.transfers = 0
        self.told = self.untold = False

    def survey(self, entry: Entry) -> None:
        _, kind, state, score, _ = entry.fields
        if state != _ANSWERED:
            return
        self._heard(entry.time)
        most, name = _LOW_ANSWERS[kind]
        if score <= most:
            self._note(name, entry.time)
        elif kind == 0 and score >= 9:
            self._note("days_since_promoter", entry.time)
        elif kind == 2 and score >= 4:
            self._note("days_since_high_effort", entry.time)

    def call(self, entry: Entry) -> None:
        _, outcome, direction, wait, _, _, _, transfers = entry.fields[:8]
        if direction != _INBOUND:
            return
        self._heard(entry.time)
        if len(entry.fields) > 8:  # the legs of one call are one contact, made when the first of them began
            number = entry.fields[8]
            self.calls[number] = min(entry.time, self.calls.get(number, entry.time))
        else:
            self.contacts.append(entry.time)
        if outcome == _ABANDONED:
            self._note("days_since_abandoned", entry.time)
        if self.wait < wait <= LONGEST_WAIT_MS:
            self.wait = wait
        if transfers == UNKNOWN:
            self.untold = True
        else:
            self.told = True
            self.transfers += transfers

    def change(self, entry: Entry) -> None:
        self.tickets.append((entry.time, entry.fields[1] in _RESOLVING, entry.fields))

    def ticket(self, entry: Entry) -> None:
        self.change(entry)
        change = entry.fields[1]
        if change == _OPENED:
            self.contacts.append(entry.time)
            self._heard(entry.time)
        elif change == _ESCALATED:
            self._note("days_since_escalated", entry.time)

    def account(self, entry: Entry) -> None:
        self.accounts.append((entry.time, entry.identity, entry.fields))

    def has_left(self) -> bool:
        return bool(self.accounts) and max(self.accounts)[2][1] == CANCELLED

    def at(self, at: int, floor: int) -> dict[str, float]:
        values = {name: (at - time) / DAY for name, time in self.newest.items()}
        values["contacts"] = values["repeat_contacts"] = 0.0
        if self.contacts or self.calls:
            values["contacts"], values["repeat_contacts"] = _contacts([*self.contacts, *self.calls.values()], at)
        if self.told or not self.untold:
            values["transfers"] = float(self.transfers)
        if self.wait != UNKNOWN:
            values["longest_wait"] = self.wait / 1000
        if self.silent_since is not None:
            values["silence_days"] = (at - self.silent_since) / DAY
        if self.tickets:
            _tickets(self.tickets, at, floor, values)
        if self.accounts:
            _account(self.accounts, at, values)
        return values

    def _heard(self, time: int) -> None:
        if self.silent_since is None or time > self.silent_since:
            self.silent_since = time

    def _note(self, name: str, time: int) -> None:
        newest = self.newest.get(name)
        if newest is None or time > newest:
            self.newest[name] = time


_READERS = {
    TICKET: _Evidence.ticket,
    CALL: _Evidence.call,
    SURVEY: _Evidence.survey,
    ACCOUNT: _Evidence.account,
}


def _contacts(times: list[int], at: int) -> tuple[float, float]:
    recent = sorted(time for time in times if time > at - CONTACTS_WITHIN)
    again = sum(later - earlier <= REPEATED_WITHIN for earlier, later in pairwise(recent))
    return float(len(recent)), float(again)


def _tickets(changes: list[tuple[int, bool, RecordFields]], at: int, floor: int, values: dict[str, float]) -> None:
    """Of changes at one time those that resolve a ticket come last; a ticket is as old as its newest change.

    It was reopened where a change says so, or counts more `reopens` than those before it.
    """
    born: dict[int, int] = {}
    newest: dict[int, int] = {}
    reopens: dict[int, int] = {}
    resolved = set[int]()
    reopened = floor - 1
    for time, resolving, facts in sorted(changes):
        number, opened, counted = facts[7], facts[2], facts[5]
        newest[number] = time
        born.setdefault(number, opened if UNKNOWN < opened <= time else time)
        if facts[1] == _REOPENED or counted > reopens.get(number, counted):
            resolved.discard(number)
            reopened = max(reopened, time)
        if resolving:
            resolved.add(number)
        reopens[number] = max(counted, reopens.get(number, 0) + (facts[1] == _REOPENED))
    if reopened >= floor:
        values["days_since_reopened"] = (at - reopened) / DAY
    waiting = [time for number, time in born.items() if number not in resolved and newest[number] >= floor]
    if waiting:
        values["days_unresolved"] = (at - min(waiting)) / DAY


def _account(changes: list[tuple[int, bytes, RecordFields]], at: int, values: dict[str, float]) -> None:
    started = max((time for time, _, facts in changes if facts[1] == STARTED), default=None)
    if started is not None:
        values["tenure_days"] = (at - started) / DAY
    valued = max((change for change in changes if change[2][2] != UNKNOWN), default=None)
    if valued is not None:
        values["yearly_value"] = valued[2][2] / 100
