"""Collects what the entries of one customer are evidence of, and makes features of it."""

from itertools import pairwise

from streams.core.events.accounts import CANCELLED, STARTED, VALUE_CENTS
from streams.core.events.accounts import CHANGE as ACCOUNT_CHANGE
from streams.core.events.entry import Entry
from streams.core.events.record_fields import UNKNOWN
from streams.core.events.tickets import CHANGE, OPENED_AT_MS, REOPENS, TICKET_CHANGES, TICKET_NUMBER
from streams.core.time.instants import DAY_MS

CONTACTS_WITHIN_MS = 30 * DAY_MS
REPEATED_WITHIN_MS = 7 * DAY_MS
LONGEST_WAIT_MS = DAY_MS
"""A longer wait is taken for an error of its source."""

_REOPENED = TICKET_CHANGES.index("reopened")
_RESOLVING = frozenset(TICKET_CHANGES.index(name) for name in ("solved", "closed", "merged"))


class CustomerEvidence:
    """One pass over the entries of a customer; implements `streams.core.events.evidence.Evidence`."""

    __slots__ = (
        "_account_changes",
        "_calls",
        "_contacts",
        "_heard_from_ms",
        "_longest_wait_ms",
        "_newest_ms",
        "_ticket_changes",
        "_transfers",
        "_transfers_known",
        "_transfers_unknown",
    )

    def __init__(self) -> None:
        self._newest_ms: dict[str, int] = {}
        self._contacts: list[int] = []
        self._calls: dict[int, int] = {}
        self._ticket_changes: list[Entry] = []
        self._account_changes: list[Entry] = []
        self._heard_from_ms: int | None = None
        self._longest_wait_ms = UNKNOWN
        self._transfers = 0
        self._transfers_known = self._transfers_unknown = False

    def heard_from(self, time_ms: int) -> None:
        """The customer made contact or answered: silence ends here."""
        if self._heard_from_ms is None or time_ms > self._heard_from_ms:
            self._heard_from_ms = time_ms

    def contacted(self, time_ms: int, call_number: int | None = None) -> None:
        """The customer asked for something; the legs of one call are one contact, made when the first began."""
        if call_number is None:
            self._contacts.append(time_ms)
        else:
            self._calls[call_number] = min(time_ms, self._calls.get(call_number, time_ms))

    def observed(self, feature: str, time_ms: int) -> None:
        """Something happened whose age is the feature of this name; the newest counts."""
        newest_ms = self._newest_ms.get(feature)
        if newest_ms is None or time_ms > newest_ms:
            self._newest_ms[feature] = time_ms

    def waited(self, wait_ms: int) -> None:
        """A caller waited this long."""
        if self._longest_wait_ms < wait_ms <= LONGEST_WAIT_MS:
            self._longest_wait_ms = wait_ms

    def transferred(self, transfers: int) -> None:
        """A call was transferred this often, or `UNKNOWN`."""
        if transfers == UNKNOWN:
            self._transfers_unknown = True
        else:
            self._transfers_known = True
            self._transfers += transfers

    def ticket_changed(self, entry: Entry) -> None:
        """A ticket changed."""
        self._ticket_changes.append(entry)

    def account_changed(self, entry: Entry) -> None:
        """An account changed."""
        self._account_changes.append(entry)

    def has_left(self) -> bool:
        """Whether the newest change of the account is its cancellation."""
        if not self._account_changes:
            return False
        newest = max(self._account_changes, key=_in_order)
        return newest.fields[ACCOUNT_CHANGE] == CANCELLED

    def features(self, at_ms: int, floor_ms: int) -> dict[str, float]:
        """The features as known at `at_ms`; a ticket whose newest change is before `floor_ms` is forgotten."""
        values = {name: (at_ms - time_ms) / DAY_MS for name, time_ms in self._newest_ms.items()}
        values["contacts"] = values["repeat_contacts"] = 0.0
        if self._contacts or self._calls:
            contacts = [*self._contacts, *self._calls.values()]
            values["contacts"], values["repeat_contacts"] = _count_contacts(contacts, at_ms)
        if self._transfers_known or not self._transfers_unknown:
            values["transfers"] = float(self._transfers)
        if self._longest_wait_ms != UNKNOWN:
            values["longest_wait"] = self._longest_wait_ms / 1000
        if self._heard_from_ms is not None:
            values["silence_days"] = (at_ms - self._heard_from_ms) / DAY_MS
        if self._ticket_changes:
            _add_ticket_features(self._ticket_changes, at_ms, floor_ms, values)
        if self._account_changes:
            _add_account_features(self._account_changes, at_ms, values)
        return values


def _in_order(entry: Entry) -> tuple[int, bytes, tuple[int, ...]]:
    return entry.time_ms, entry.identity, entry.fields


def _resolving_last(entry: Entry) -> tuple[int, bool, tuple[int, ...]]:
    return entry.time_ms, entry.fields[CHANGE] in _RESOLVING, entry.fields


def _count_contacts(times_ms: list[int], at_ms: int) -> tuple[float, float]:
    recent = sorted(time_ms for time_ms in times_ms if time_ms > at_ms - CONTACTS_WITHIN_MS)
    repeats = sum(later - earlier <= REPEATED_WITHIN_MS for earlier, later in pairwise(recent))
    return float(len(recent)), float(repeats)


def _add_ticket_features(changes: list[Entry], at_ms: int, floor_ms: int, values: dict[str, float]) -> None:
    """Add what tickets say. Of changes at one time those that resolve the ticket come last.

    A ticket was reopened where a change says so, or counts more `reopens` than the changes before it.
    """
    born_ms: dict[int, int] = {}
    newest_ms: dict[int, int] = {}
    reopens: dict[int, int] = {}
    resolved = set[int]()
    reopened_ms = floor_ms - 1
    for entry in sorted(changes, key=_resolving_last):
        time_ms, fields = entry.time_ms, entry.fields
        number, opened_ms, counted = fields[TICKET_NUMBER], fields[OPENED_AT_MS], fields[REOPENS]
        newest_ms[number] = time_ms
        born_ms.setdefault(number, opened_ms if UNKNOWN < opened_ms <= time_ms else time_ms)
        if fields[CHANGE] == _REOPENED or counted > reopens.get(number, counted):
            resolved.discard(number)
            reopened_ms = max(reopened_ms, time_ms)
        if fields[CHANGE] in _RESOLVING:
            resolved.add(number)
        reopens[number] = max(counted, reopens.get(number, 0) + (fields[CHANGE] == _REOPENED))
    if reopened_ms >= floor_ms:
        values["days_since_reopened"] = (at_ms - reopened_ms) / DAY_MS
    waiting_ms = [t for number, t in born_ms.items() if number not in resolved and newest_ms[number] >= floor_ms]
    if waiting_ms:
        values["days_unresolved"] = (at_ms - min(waiting_ms)) / DAY_MS


def _add_account_features(changes: list[Entry], at_ms: int, values: dict[str, float]) -> None:
    started_ms = max((entry.time_ms for entry in changes if entry.fields[ACCOUNT_CHANGE] == STARTED), default=None)
    if started_ms is not None:
        values["tenure_days"] = (at_ms - started_ms) / DAY_MS
    valued = max((entry for entry in changes if entry.fields[VALUE_CENTS] != UNKNOWN), key=_in_order, default=None)
    if valued is not None:
        values["yearly_value"] = valued.fields[VALUE_CENTS] / 100
