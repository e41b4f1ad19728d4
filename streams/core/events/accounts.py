"""Accounts: every event is one change of one account."""

from collections.abc import Sequence

from schemas.account import Account
from schemas.catalogue import ACCOUNTS
from streams.core.events.entry import Entry
from streams.core.events.evidence import Evidence
from streams.core.events.record_fields import UNKNOWN, RecordFields, codes_of, scaled
from streams.core.events.source import EventSource

ACCOUNT = 3
ACCOUNT_CHANGES = ("started", "renewed", "cancelled", "updated")
STARTED, CANCELLED = ACCOUNT_CHANGES.index("started"), ACCOUNT_CHANGES.index("cancelled")

FIELDS = ("change", "value_cents")
CHANGE, VALUE_CENTS = range(1, 3)
"""Positions of the fields; the value is for a year."""

_CHANGES = codes_of(ACCOUNT_CHANGES)


def read_account(event: Account) -> RecordFields:
    """The fields of an event; its value is `UNKNOWN` where the event has none."""
    return ACCOUNT, _CHANGES[event.change], scaled(event.value, 100)


def _keep(entries: Sequence[Entry], floor_ms: int, has_other_entries: bool) -> frozenset[bytes]:
    """What still holds of the account, however old: tenure, value and membership rest on it.

    Of a live account: the change it began with, the newest start and the newest known value. Of a cancelled one: the
    cancellation, as long as anything else is kept of its customer.
    """
    changes = sorted(entries, key=lambda entry: (entry.time_ms, entry.identity, entry.fields))
    if changes[-1].fields[CHANGE] == CANCELLED:
        return frozenset({changes[-1].identity} if has_other_entries else ())
    ends = [place for place, change in enumerate(changes) if change.fields[CHANGE] == CANCELLED]
    began = changes[ends[-1] + 1 if ends else 0]
    started = [change.identity for change in changes if change.fields[CHANGE] == STARTED][-1:]
    valued = [change.identity for change in changes if change.fields[VALUE_CENTS] != UNKNOWN][-1:]
    return frozenset({began.identity, *started, *valued})


def _observe(entry: Entry, evidence: Evidence) -> None:
    evidence.account_changed(entry)


SOURCE = EventSource(
    code=ACCOUNT,
    topic=ACCOUNTS,
    fields=FIELDS,
    read=read_account,
    each_event_is_a_record=True,
    has_derived_records=True,
    keep=_keep,
    observe=_observe,
    is_background=True,
)
