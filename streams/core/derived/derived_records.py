"""Keeps the derived records of customers in step with their ledgers: what changed is retracted and added."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from streams.core.derived.contacts import REACH_MS, contact_records, is_contact_attempt
from streams.core.derived.derived_record import DerivedRecord
from streams.core.derived.memberships import membership_records
from streams.core.derived.tickets import ticket_records
from streams.core.events.accounts import ACCOUNT
from streams.core.events.entry import Entry
from streams.core.events.record_fields import RecordFields
from streams.core.events.tickets import TICKET, TICKET_NUMBER
from streams.core.ledger.ledger import Ledger
from streams.core.ledger.segments import CustomerSegments, SegmentList, decode_segments
from streams.core.scores.contributions import contribution
from streams.core.scores.pane_delta import PaneDelta
from streams.core.time.business_hours import BusinessHours
from streams.core.time.panes import ALL_TIME, pane_start

DerivedPane = tuple[int, int, int]
"""Interned dimensions, resolution (s, or `ALL_TIME`) and start of a pane (ms)."""

_NO_TIME = 2**60
_CONTACTS, _ACCOUNT = -1, -2
"""Subjects beside tickets, which are subjects by their number."""


class _Snapshot:
    """The segments of a customer before some records changed, and what these may change.

    Derived records are compared subject by subject: a ticket, the contacts of the customer, its membership. Only the
    contacts near a changed attempt are compared, since those further away than `REACH_MS` cannot differ.
    """

    __slots__ = ("first_ms", "last_ms", "segments", "subjects")

    def __init__(self, segments: CustomerSegments | None) -> None:
        self.segments = segments.copy() if isinstance(segments, SegmentList) else segments
        self.subjects: set[int] = set()
        self.first_ms, self.last_ms = _NO_TIME, -_NO_TIME

    def note(self, fields: RecordFields, time_ms: int) -> bool:
        """Note a record that comes, goes or changes; whether more derived records may change than before."""
        subjects, source = self.subjects, fields[0]
        before = len(subjects)
        if source == TICKET:
            subjects.add(fields[TICKET_NUMBER])
        elif source == ACCOUNT:
            subjects.add(_ACCOUNT)
        attempt = is_contact_attempt(fields)
        if attempt:
            subjects.add(_CONTACTS)
            self.first_ms, self.last_ms = min(self.first_ms, time_ms - REACH_MS), max(self.last_ms, time_ms + REACH_MS)
        return attempt or len(subjects) > before

    def by_subject(self, entries: Iterable[Entry], customer: bytes) -> dict[int, list[Entry]]:
        """The entries that each noted subject is made of; records without a customer have tickets only."""
        found: dict[int, list[Entry]] = {}
        subjects, is_identified = self.subjects, customer[:1] == b"c"
        has_attempts = is_identified and _CONTACTS in subjects
        for entry in entries:
            fields = entry.fields
            if fields[0] == TICKET:
                if fields[TICKET_NUMBER] in subjects:
                    found.setdefault(fields[TICKET_NUMBER], []).append(entry)
            elif fields[0] == ACCOUNT and is_identified and _ACCOUNT in subjects:
                found.setdefault(_ACCOUNT, []).append(entry)
            if has_attempts and self.first_ms <= entry.time_ms <= self.last_ms and is_contact_attempt(fields):
                found.setdefault(_CONTACTS, []).append(entry)
        return found


class DerivedRecords:
    """The derived records of one source partition, by customer.

    They are not kept: they follow from the ledger at any time. A customer whose records change is remembered as it was
    (`snapshot_before`), and `compute_changes` compares it with the ledger as it is. `waits_ms` gives for each
    resolution how far ahead its panes look, `horizon_ms` after how long without a change a ticket begins anew.
    `possible_changes` counts what may change and is not computed yet, `pending_deltas` the panes that will change.
    """

    def __init__(self, waits_ms: Mapping[int, int], horizon_ms: int, hours: BusinessHours | None = None) -> None:
        self.possible_changes = 0
        self._waits_ms = dict(waits_ms)
        self._horizon_ms = horizon_ms
        self._hours = hours
        self._snapshots: dict[bytes, _Snapshot] = {}
        self._deltas: dict[DerivedPane, PaneDelta] = {}

    @property
    def pending_deltas(self) -> int:
        """How many panes the changes computed so far have touched."""
        return len(self._deltas)

    def snapshot_before(
        self, customer: bytes, segments: CustomerSegments | None, fields: RecordFields, time_ms: int
    ) -> None:
        """Remember the segments of a customer before a record with these fields and time comes, goes or changes."""
        snapshot = self._snapshots.get(customer)
        if snapshot is None:
            snapshot = self._snapshots[customer] = _Snapshot(segments)
        if snapshot.note(fields, time_ms):
            self.possible_changes += 1

    def compute_changes(self, ledger: Ledger) -> bool:
        """Compare the customers remembered since the last call with the ledger; False when there were none."""
        snapshots, self._snapshots, self.possible_changes = self._snapshots, {}, 0
        for customer, snapshot in snapshots.items():
            for record, number in self._changes(customer, snapshot, ledger):
                self._count(record, number)
        return bool(snapshots)

    def drain(self, ledger: Ledger) -> Iterator[tuple[DerivedPane, PaneDelta]]:
        """What brings the panes in step with the ledger, by place; closed panes are for the caller to leave out."""
        self.compute_changes(ledger)
        deltas, self._deltas = self._deltas, {}
        yield from deltas.items()

    def _count(self, record: DerivedRecord, number: int) -> None:
        deltas = self._deltas
        sign, times = (1, number) if number > 0 else (-1, -number)
        adds = contribution(record.fields)
        for resolution_s, wait_ms in self._waits_ms.items():
            if adds.slots and record.counts_within(wait_ms):
                place = (record.dims, resolution_s, pane_start(record.time_ms, resolution_s))
                deltas.setdefault(place, PaneDelta()).add(adds.slots, adds.codes, record.time_ms, sign, times)
        if adds.stock_codes:
            delta = deltas.setdefault((record.dims, ALL_TIME, 0), PaneDelta())
            delta.add(adds.stock_slots, adds.stock_codes, record.time_ms, sign, times)

    def _changes(self, customer: bytes, snapshot: _Snapshot, ledger: Ledger) -> Iterator[tuple[DerivedRecord, int]]:
        """Derived records and how many more of each there are now."""
        before = decode_segments(snapshot.segments)
        # What the ledger had to drop for want of room still counts: it was not corrected, only forgotten.
        now = {entry.identity: entry for entry in before}
        now |= {entry.identity: entry for entry in ledger.entries(customer)}
        old, new = snapshot.by_subject(before, customer), snapshot.by_subject(now.values(), customer)
        for subject in old.keys() | new.keys():
            if old.get(subject) != new.get(subject):
                yield from self._change(subject, old.get(subject, []), new.get(subject, []))

    def _change(
        self, subject: int, before: Sequence[Entry], now: Sequence[Entry]
    ) -> Iterator[tuple[DerivedRecord, int]]:
        old, new = Counter(self._records(subject, before)), Counter(self._records(subject, now))
        yield from ((record, -number) for record, number in (old - new).items())
        yield from (new - old).items()

    def _records(self, subject: int, entries: Sequence[Entry]) -> Iterator[DerivedRecord]:
        ordered = sorted(entries, key=lambda entry: (entry.time_ms, entry.identity))
        if subject == _CONTACTS:
            yield from contact_records(ordered)
        elif subject == _ACCOUNT:
            yield from membership_records(ordered)
        else:
            for episode in self._episodes(ordered):
                yield from ticket_records(episode, self._hours)

    def _episodes(self, changes: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
        """A ticket that rests longer than the ledger's horizon is forgotten, and begins anew."""
        first = 0
        for position in range(1, len(changes)):
            if changes[position].time_ms - changes[position - 1].time_ms > self._horizon_ms:
                yield changes[first:position]
                first = position
        yield changes[first:]
