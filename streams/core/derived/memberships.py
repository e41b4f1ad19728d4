"""Membership: when a customer came and when it left, from its account events."""

from collections.abc import Iterator, Sequence

from streams.core.derived.derived_record import DerivedRecord
from streams.core.events.fields import JOINED, LEFT, NEWCOMER_LEFT, member_facts
from streams.core.ledger.ledger import Entry
from streams.core.ledger.retention import CANCELLED


def membership_records(entries: Sequence[Entry]) -> Iterator[DerivedRecord]:
    """The memberships of one customer, oldest account event first, all in the cells where each began.

    A membership begins with the first change that is no cancellation and ends with the next cancellation. One
    that has ended is told again at its beginning, so that a window can tell newcomers who left within it.
    """
    began: Entry | None = None
    for entry in entries:
        if entry.fields[1] != CANCELLED:
            if began is None:
                began = entry
                yield DerivedRecord(member_facts(JOINED), entry.time, entry.dims)
        elif began is not None:
            yield DerivedRecord(member_facts(LEFT), entry.time, began.dims)
            yield DerivedRecord(member_facts(NEWCOMER_LEFT), began.time, began.dims)
            began = None
