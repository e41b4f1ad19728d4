"""Membership: when a customer came and when it left, from its account events."""

from collections.abc import Iterator, Sequence

from streams.core.derived.derived_record import DerivedRecord
from streams.core.events.accounts import CANCELLED, CHANGE
from streams.core.events.derived_kinds import JOINED, LEFT, NEWCOMER_LEFT, membership_fields
from streams.core.events.entry import Entry


def membership_records(entries: Sequence[Entry]) -> Iterator[DerivedRecord]:
    """The memberships of one customer, from its account events, oldest first.

    A membership begins with the first change that is no cancellation and ends with the next cancellation. All its
    records are counted in the cells where it began. A membership that has ended is recorded at its beginning as well,
    so that a window can tell which of its newcomers left within it.
    """
    began: Entry | None = None
    for entry in entries:
        if entry.fields[CHANGE] != CANCELLED:
            if began is None:
                began = entry
                yield DerivedRecord(membership_fields(JOINED), entry.time_ms, entry.dims)
        elif began is not None:
            yield DerivedRecord(membership_fields(LEFT), entry.time_ms, began.dims)
            yield DerivedRecord(membership_fields(NEWCOMER_LEFT), began.time_ms, began.dims)
            began = None
