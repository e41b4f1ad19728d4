"""Keeps the derived records of customers in step with their ledgers: what changed is retracted and added."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from streams.core.cells.dimensions import Dimensions
from streams.core.derived.contacts import REACH_MS, contact_cases, is_attempt
from streams.core.derived.derived_record import Emission
from streams.core.derived.memberships import account_cases
from streams.core.derived.tickets import ticket_cases
from streams.core.events.fields import ACCOUNT, TICKET, RecordFields
from streams.core.ledger.ledger import Entry, CustomerSegments, Ledger, Segments, decode_held
from streams.core.scores.contributions import contribution
from streams.core.stage1.partials import EVER, PARTIAL_BYTES, Bucket, Partials
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
        self.held = held.copy() if isinstance(held, Segments) else held
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
        attempt = is_attempt(facts)
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
            facts = entry.facts
            if facts[0] == TICKET:
                if facts[_TICKET_NUMBER] in subjects:
                    found.setdefault(facts[_TICKET_NUMBER], []).append(entry)
            elif facts[0] == ACCOUNT and is_somebody and _ACCOUNT in subjects:
                found.setdefault(_ACCOUNT, []).append(entry)
            if has_attempts and self.first <= entry.time <= self.last and is_attempt(facts):
                found.setdefault(_CONTACTS, []).append(entry)
        return found


class Cases:
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
        self._buckets: dict[tuple[int, int, int], Bucket] = {}

    def touch(self, customer: bytes, held: CustomerSegments | None, facts: RecordFields, time: int) -> None:
        """Remember what is held of a customer before a record with these facts and time comes, goes or changes."""
        touched = self._before.get(customer)
        if touched is None:
            touched = self._before[customer] = _Touched(held)
        if touched.touch(facts, time):
            self.bytes += self.bytes_of_one

    def gather(self, ledger: Ledger) -> bool:
        """Work out what the customers touched since the last call amount to now; False when there were none."""
        touched, self._before = self._before, {}
        for customer, before in touched.items():
            for case, number in self._changes(customer, before, ledger):
                self._gather(case, number)
        self.bytes = len(self._buckets) * self._bytes_of_bucket
        return bool(touched)

    def settle(self, ledger: Ledger, partials: Partials, dimensions: Dimensions, label: str, watermark: int) -> None:
        """Bring the panes that `watermark` (ms) has not closed in step with the ledger."""
        self.gather(ledger)
        for (dims, resolution, start), bucket in self._buckets.items():
            cells = dimensions.cells_of(dims)
            if resolution == EVER:
                partials.apply_ever(label, cells, bucket)
            else:
                partials.apply_at(resolution, label, cells, start, watermark, bucket)
        self._buckets, self.bytes = {}, 0

    def _gather(self, case: Emission, number: int) -> None:
        buckets = self._buckets
        sign, times = (1, number) if number > 0 else (-1, -number)
        adds = contribution(case.facts)
        for resolution, wait in self._waits.items():
            if adds.slots and case.counts_within(wait):
                place = (case.dims, resolution, pane_start(case.time, resolution))
                buckets.setdefault(place, Bucket()).add(adds.slots, adds.codes, case.time, sign, times)
        if adds.stock_codes:
            bucket = buckets.setdefault((case.dims, EVER, 0), Bucket())
            bucket.add(adds.stock_slots, adds.stock_codes, case.time, sign, times)

    def _changes(self, customer: bytes, touched: _Touched, ledger: Ledger) -> Iterator[tuple[Emission, int]]:
        """Derived records and how many more of each there are now."""
        before = decode_held(touched.held)
        # what the ledger had to drop for want of room still counts
        now = {entry.record: entry for entry in before} | {entry.record: entry for entry in ledger.entries(customer)}
        old, new = touched.by_subject(before, customer), touched.by_subject(now.values(), customer)
        for subject in old.keys() | new.keys():
            if old.get(subject) != new.get(subject):
                yield from self._change(subject, old.get(subject, []), new.get(subject, []))

    def _change(self, subject: int, before: Sequence[Entry], now: Sequence[Entry]) -> Iterator[tuple[Emission, int]]:
        old, new = Counter(self._told(subject, before)), Counter(self._told(subject, now))
        yield from ((case, -number) for case, number in (old - new).items())
        yield from (new - old).items()

    def _told(self, subject: int, entries: Sequence[Entry]) -> Iterator[Emission]:
        ordered = sorted(entries, key=lambda entry: (entry.time, entry.record))
        if subject == _CONTACTS:
            yield from contact_cases(ordered)
        elif subject == _ACCOUNT:
            yield from account_cases(ordered)
        else:
            for episode in self._episodes(ordered):
                yield from ticket_cases(episode, self._hours)

    def _episodes(self, changes: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
        """A ticket that rests longer than the ledger's horizon is forgotten, and begins anew."""
        first = 0
        for position in range(1, len(changes)):
            if changes[position].time - changes[position - 1].time > self._horizon:
                yield changes[first:position]
                first = position
        yield changes[first:]
