"""The recent records of each customer: what makes deduplication, corrections and churn risk possible."""

from collections.abc import Iterator, Sequence

import msgspec

from streams.core.events.entry import Entry
from streams.core.events.record_fields import RecordFields
from streams.core.ledger import segments as layout
from streams.core.ledger.retention import Floors, kept_identities
from streams.core.ledger.segments import (
    NUMBER_BYTES,
    CustomerSegments,
    SegmentList,
    decode_segments,
    encode_entry,
    entries_in,
    grown,
)

_KEY_OVERHEAD_BYTES = 24
"""An estimate of what the key of a changelog record takes beside the customer's name."""

_UNBOUNDED = 2**60


class EntryLocation(msgspec.Struct, frozen=True, gc=False):
    """Where an entry was found: the index of its segment, its position in it, and the entry."""

    segment: int
    position: int
    entry: Entry


class Ledger:
    """The records of all customers of one source partition.

    A customer keeps at most `max_records`; the oldest segments go first and their records are counted in `overflow`.
    `pending_bytes` is what the changes since the last `drain` take in a checkpoint. Of a changed customer usually only
    the last segment has grown: those are noted once for each customer (`_touched`) and written with what they hold at
    the drain. Any other change is noted for its segment (`_changed`).
    """

    def __init__(self, max_records: int, sweep_every_ms: int = 0) -> None:
        self.customers: dict[bytes, CustomerSegments] = {}
        self.overflow = 0
        self.pending_bytes = 0
        self._max_segments = max(1, max_records // layout.RECORDS_PER_SEGMENT)
        self._touched: dict[bytes, None] = {}
        self._changed: dict[tuple[bytes, int], bytes | None] = {}
        self._sweep: Iterator[bytes] = iter(())
        self._sweep_every_ms = sweep_every_ms
        self._swept_to: dict[int, int] = {}

    def find(self, customer: bytes, identity: bytes) -> EntryLocation | None:
        """The entry of this record, if the ledger has it."""
        for index, segment in enumerate(self._segments(customer)):
            if identity in segment:  # the eight bytes may also stand inside something else
                for position, entry in enumerate(entries_in(segment)):
                    if entry.identity == identity:
                        return EntryLocation(index, position, entry)
        return None

    def entries(self, customer: bytes) -> list[Entry]:
        """All entries of one customer, in order of arrival; raises `KeyError` for a customer without any."""
        return decode_segments(self.customers[customer])

    def append(
        self, customer: bytes, segments: CustomerSegments | None, entry: tuple[bytes, int, int, int, RecordFields]
    ) -> None:
        """Remember a record not yet known, given as the fields of its entry.

        `segments` is what `customers` has for the customer: the caller has just looked it up for every event.
        """
        encoded = encode_entry(entry)
        if segments is None:
            self.customers[customer] = first = layout.first_segment(encoded)
            self._touch(customer, first, len(first))
            return
        tail = grown(segments if isinstance(segments, bytes) else segments[-1], encoded)
        if tail is None:
            self._start_segment(customer, segments, entry[0], encoded)
            return
        if isinstance(segments, bytes):
            self.customers[customer] = tail
        else:
            segments[-1] = tail
            segments.identities += entry[0]
        self._touch(customer, tail, len(encoded))

    def _start_segment(self, customer: bytes, segments: CustomerSegments, identity: bytes, encoded: bytes) -> None:
        several = SegmentList((segments,)) if isinstance(segments, bytes) else segments
        self._seal(customer, several[-1])
        several.append(layout.next_segment(layout.number_of(several[-1]), encoded))
        several.identities += identity
        surplus = max(len(several) - self._max_segments, 0)
        for dropped in several[:surplus]:
            self.overflow += layout.count_in(dropped)
            self._note(customer, dropped, None)
        if surplus:
            self._put(customer, several[surplus:])
        else:
            self.customers[customer] = several
        self._touch(customer, several[-1], len(encoded))

    def replace(self, customer: bytes, location: EntryLocation, entry: Entry) -> None:
        """Put a newer version of a record in the place of the older."""
        segment = self._segments(customer)[location.segment]
        entries = entries_in(segment)
        entries[location.position] = entry
        renewed, segments = layout.repacked(segment, entries), self.customers[customer]
        if isinstance(segments, SegmentList):
            segments[location.segment] = renewed
        else:
            self.customers[customer] = renewed
        self._note(customer, renewed, renewed)

    def forget_before(self, customer: bytes, floors: Floors) -> bool:
        """Drop entries older than their source's floor, unless their source keeps them; whether any was dropped."""
        segments, kept = self._segments(customer), []
        outliving = kept_identities(decode_segments(list(segments)), floors)
        for segment in segments:
            entries = entries_in(segment)
            fresh = [e for e in entries if e.time_ms >= floors[e.fields[0]] or e.identity in outliving]
            remaining = segment if len(fresh) == len(entries) else layout.repacked(segment, fresh)
            if remaining is not segment:
                self._note(customer, segment, remaining if fresh else None)
            if fresh:
                kept.append(remaining)
        if kept:
            self._put(customer, kept)
        else:
            del self.customers[customer]
            self._touched.pop(customer, None)
        return len(kept) < len(segments) or any(a is not b for a, b in zip(segments, kept, strict=False))

    def sweep(self, floors: Floors, limit: int, budget_bytes: int = _UNBOUNDED) -> None:
        """Continue around all customers and forget what is too old.

        A call looks at `limit` customers and stops when it has changed about `budget_bytes`. A round begins when some
        floor has moved on by `sweep_every_ms` since the last round began.
        """
        enough = self.pending_bytes + budget_bytes
        for _ in range(limit):
            if self.pending_bytes > enough:
                return
            customer = next(self._sweep, None)
            if customer is None:
                self._begin_round(floors)
                return
            if customer in self.customers:
                self.forget_before(customer, floors)

    def _begin_round(self, floors: Floors) -> None:
        moved = (floor - self._swept_to.get(code, floor) for code, floor in floors.items())
        if not self._swept_to or any(by_ms >= self._sweep_every_ms for by_ms in moved):
            self._sweep, self._swept_to = iter(list(self.customers)), dict(floors)

    def drain(self) -> list[tuple[bytes, bytes | None]]:
        """What changed since the last call, as changelog keys and values (None deletes)."""
        changes = [(_key(customer, number), value) for (customer, number), value in self._changed.items()]
        for customer in self._touched:
            segments = self.customers[customer]
            tail = segments if isinstance(segments, bytes) else segments[-1]
            changes.append((tail[:NUMBER_BYTES] + customer, tail[NUMBER_BYTES:]))
        self._touched, self._changed, self.pending_bytes = {}, {}, 0
        return changes

    def load(self, key: bytes, value: bytes) -> None:
        """Take one changelog record back in; the segments of a customer may come in any order."""
        segment, customer = key[:NUMBER_BYTES] + value, key[NUMBER_BYTES:]
        others = [s for s in self._segments(customer) if s[:NUMBER_BYTES] != segment[:NUMBER_BYTES]]
        self._put(customer, sorted([*others, segment]))  # by number, which stands first

    def unload(self, key: bytes) -> None:
        """Take back a deletion from the changelog."""
        customer = key[NUMBER_BYTES:]
        rest = [s for s in self._segments(customer) if s[:NUMBER_BYTES] != key[:NUMBER_BYTES]]
        if rest:
            self._put(customer, rest)
        else:
            self.customers.pop(customer, None)

    def _segments(self, customer: bytes) -> Sequence[bytes]:
        segments = self.customers.get(customer)
        if segments is None:
            return ()
        return (segments,) if isinstance(segments, bytes) else segments

    def _put(self, customer: bytes, segments: Sequence[bytes]) -> None:
        self.customers[customer] = segments[0] if len(segments) == 1 else SegmentList(segments)

    def _touch(self, customer: bytes, tail: bytes, grown_bytes: int) -> None:
        if customer in self._touched:
            self.pending_bytes += grown_bytes
        else:
            self._touched[customer] = None
            self.pending_bytes += len(tail) + len(customer) + _KEY_OVERHEAD_BYTES

    def _seal(self, customer: bytes, tail: bytes) -> None:
        if customer in self._touched:
            del self._touched[customer]
            self._note(customer, tail, tail)

    def _note(self, customer: bytes, segment: bytes, value: bytes | None) -> None:
        self._changed[customer, layout.number_of(segment)] = None if value is None else value[NUMBER_BYTES:]
        self.pending_bytes += len(segment) + len(customer) + _KEY_OVERHEAD_BYTES


def _key(customer: bytes, number: int) -> bytes:
    return number.to_bytes(NUMBER_BYTES, "big") + customer
