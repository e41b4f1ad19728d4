"""Keeps the derived records of customers in step with their ledgers: what changed is retracted and added."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from streams.core.cells.dimensions import DimensionRegistry
from streams.core.derived.contacts import REACH_MS, contact_records, is_contact_attempt
from streams.core.derived.derived_record import DerivedRecord
from streams.core.derived.memberships import membership_records
from streams.core.derived.tickets import ticket_records
from streams.core.events.fields import ACCOUNT, TICKET, RecordFields
from streams.core.ledger.ledger import CustomerSegments, Entry, Ledger, SegmentList, decode_segments
from streams.core.scores.contributions import contribution
from streams.core.stage1.partials import ALL_TIME, PARTIAL_BYTES, PaneDelta, Partials
from streams.core.time.business_hours import BusinessHours
from streams.core.time.panes import pane_start

_CHANGED_AT_ONCE = 8
"""Derived records that one touched subject is taken to change, for the estimate of a checkpoint's size."""

_TICKET_NUMBER = 7
_NO_TIME = 2**60
_CONTACTS, _ACCOUNT = -1, -2
"""Subjects beside tickets, which are subjects by their number."""


class _Touched:
    """What was held of a customer before some of it changed, and what may have changed: subjects, times of attempts."""

    __slots__ = ("first", "held", "last", "subjects")

    def __init__(self, held: CustomerSegments | None) -> None:
        self.held = held.copy() if isinstance(held, SegmentList) else held
        self.subjects: set[int] = set()
        self.first, self.last = _NO_TIME, -_NO_TIME

    def touch(self, facts: RecordFields, time: int) -> bool:
        """Note a record that comes, goes or changes; whether that can change derived records not yet counted."""
        subjects, source = self.subjects, facts[0]
        before = len(subjects)
        if source == TICKET:
            subjects.add(facts[_TICKET_NUMBER])
        elif source == ACCOUNT:
            subjects.add(_ACCOUNT)
        attempt = is_contact_attempt(facts)
        if attempt:
            subjects.add(_CONTACTS)
            self.first, self.last = min(self.first, time - REACH_MS), max(self.last, time + REACH_MS)
        return attempt or len(subjects) > before

    def by_subject(self, entries: Iterable[Entry], customer: bytes) -> dict[int, list[Entry]]:
        """The entries that each touched subject is made of; nobody has tickets only."""
        found: dict[int, list[Entry]] = {}
        subjects, is_somebody = self.subjects, customer[:1] == b"c"
        has_attempts = is_somebody and _CONTACTS in subjects
        for entry in entries:
            facts = entry.fields
            if facts[0] == TICKET:
                if facts[_TICKET_NUMBER] in subjects:
                    found.setdefault(facts[_TICKET_NUMBER], []).append(entry)
            elif facts[0] == ACCOUNT and is_somebody and _ACCOUNT in subjects:
                found.setdefault(_ACCOUNT, []).append(entry)
            if has_attempts and self.first <= entry.time <= self.last and is_contact_attempt(facts):
                found.setdefault(_CONTACTS, []).append(entry)
        return found


class DerivedRecords:
    """The derived records of one source partition, by customer.

    They are a function of the ledger, so they are no state: a customer whose records change is
    remembered as he was (`touch`), and `gather` compares. `bytes` is roughly what the changes since the
    last `settle` take in a checkpoint, `bytes_of_one` what one of them can take as long as it is not gathered.
    """

    def __init__(self, waits: Mapping[int, int], horizon: int, cuts: int, hours: BusinessHours | None = None) -> None:
        self.bytes = 0
        self._waits = dict(waits)
        self._horizon = horizon
        self._hours = hours
        self.bytes_of_one = _CHANGED_AT_ONCE * cuts * len(waits) * PARTIAL_BYTES
        self._bytes_of_bucket = cuts * PARTIAL_BYTES
        self._before: dict[bytes, _Touched] = {}
        self._buckets: dict[tuple[int, int, int], PaneDelta] = {}

    def snapshot_before(self, customer: bytes, held: CustomerSegments | None, facts: RecordFields, time: int) -> None:
        """Remember what is held of a customer before a record with these facts and time comes, goes or changes."""
        touched = self._before.get(customer)
        if touched is None:
            touched = self._before[customer] = _Touched(held)
        if touched.touch(facts, time):
            self.bytes += self.bytes_of_one

    def compute_changes(self, ledger: Ledger) -> bool:
        """Work out what the customers touched since the last call amount to now; False when there were none."""
        touched, self._before = self._before, {}
        for customer, before in touched.items():
            for case, number in self._changes(customer, before, ledger):
                self._gather(case, number)
        self.bytes = len(self._buckets) * self._bytes_of_bucket
        return bool(touched)

    def apply_changes(
        self, ledger: Ledger, partials: Partials, dimensions: DimensionRegistry, label: str, watermark: int
    ) -> None:
        """Bring the panes that `watermark` (ms) has not closed in step with the ledger."""
        self.compute_changes(ledger)
        for (dims, resolution, start), bucket in self._buckets.items():
            cells = dimensions.cells_of(dims)
            if resolution == ALL_TIME:
                partials.apply_all_time(label, cells, bucket)
            else:
                partials.apply_at(resolution, label, cells, start, watermark, bucket)
        self._buckets, self.bytes = {}, 0

    def _gather(self, case: DerivedRecord, number: int) -> None:
        buckets = self._buckets
        sign, times = (1, number) if number > 0 else (-1, -number)
        adds = contribution(case.facts)
        for resolution, wait in self._waits.items():
            if adds.slots and case.counts_within(wait):
                place = (case.dims, resolution, pane_start(case.time, resolution))
                buckets.setdefault(place, PaneDelta()).add(adds.slots, adds.codes, case.time, sign, times)
        if adds.stock_codes:
            bucket = buckets.setdefault((case.dims, ALL_TIME, 0), PaneDelta())
            bucket.add(adds.stock_slots, adds.stock_codes, case.time, sign, times)

    def _changes(self, customer: bytes, touched: _Touched, ledger: Ledger) -> Iterator[tuple[DerivedRecord, int]]:
        """Derived records and how many more of each there are now."""
        before = decode_segments(touched.held)
        # what the ledger had to drop for want of room still counts
        now = {entry.identity: entry for entry in before} | {
            entry.identity: entry for entry in ledger.entries(customer)
        }
        old, new = touched.by_subject(before, customer), touched.by_subject(now.values(), customer)
        for subject in old.keys() | new.keys():
            if old.get(subject) != new.get(subject):
                yield from self._change(subject, old.get(subject, []), new.get(subject, []))

    def _change(
        self, subject: int, before: Sequence[Entry], now: Sequence[Entry]
    ) -> Iterator[tuple[DerivedRecord, int]]:
        old, new = Counter(self._derived(subject, before)), Counter(self._derived(subject, now))
        yield from ((case, -number) for case, number in (old - new).items())
        yield from (new - old).items()

    def _derived(self, subject: int, entries: Sequence[Entry]) -> Iterator[DerivedRecord]:
        ordered = sorted(entries, key=lambda entry: (entry.time, entry.identity))
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
            if changes[position].time - changes[position - 1].time > self._horizon:
                yield changes[first:position]
                first = position
        yield changes[first:]
