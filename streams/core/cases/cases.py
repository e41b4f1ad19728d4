"""Keeps the derived records of customers in step with their ledgers: what changed is retracted and added."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from streams.core.business_hours import BusinessHours
from streams.core.cases.accounts import account_cases
from streams.core.cases.contacts import contact_cases, is_attempt
from streams.core.cases.emission import Emission
from streams.core.cases.tickets import ticket_cases
from streams.core.contributions import contribution
from streams.core.dimensions import Dimensions
from streams.core.facts import ACCOUNT, TICKET
from streams.core.ledger import Entry, Held, Ledger, Segments, decode_held
from streams.core.panes import pane_start
from streams.core.partials import EVER, PARTIAL_BYTES, Bucket, Partials

_CHANGED_AT_ONCE = 8
"""Derived records that one touched customer is taken to change, for the estimate of a checkpoint's size."""

_TICKET_NUMBER = 7
_Remembered = bytes | list[bytes] | None
_CONTACTS, _ACCOUNT = -1, -2
"""Subjects beside tickets, which are subjects by their number."""


class Cases:
    """The derived records of one source partition, by customer.

    They are a function of the ledger, so they are no state: a customer whose records change is
    remembered as he was (`touch`), and `settle` compares. `bytes` is roughly what the customers
    touched since then can change in a checkpoint, `bytes_of_one` what one of them can.
    """

    def __init__(self, waits: Mapping[int, int], horizon: int, cuts: int, hours: BusinessHours | None = None) -> None:
        self.bytes = 0
        self._waits = dict(waits)
        self._horizon = horizon
        self._hours = hours
        self.bytes_of_one = _CHANGED_AT_ONCE * cuts * len(waits) * PARTIAL_BYTES
        self._before: dict[bytes, _Remembered] = {}

    def touch(self, customer: bytes, held: Held | None) -> None:
        """Remember what is held of a customer, before the first change since it was settled."""
        if customer not in self._before:
            self._before[customer] = held.copy() if isinstance(held, Segments) else held
            self.bytes += self.bytes_of_one

    def settle(self, ledger: Ledger, partials: Partials, dimensions: Dimensions, label: str, watermark: int) -> None:
        """Bring the panes that `watermark` (ms) has not closed in step with the ledger."""
        buckets: dict[tuple[int, int, int], Bucket] = {}
        for customer, held in self._before.items():
            for case, number in self._changes(customer, held, ledger):
                self._gather(buckets, case, number)
        for (dims, resolution, start), bucket in buckets.items():
            cells = dimensions.cells_of(dims)
            if resolution == EVER:
                partials.apply_ever(label, cells, bucket)
            else:
                partials.apply_at(resolution, label, cells, start, watermark, bucket)
        self._before, self.bytes = {}, 0

    def _gather(self, buckets: dict[tuple[int, int, int], Bucket], case: Emission, number: int) -> None:
        sign, times = (1, number) if number > 0 else (-1, -number)
        adds = contribution(case.facts)
        for resolution, wait in self._waits.items():
            if adds.slots and case.counts_within(wait):
                place = (case.dims, resolution, pane_start(case.time, resolution))
                buckets.setdefault(place, Bucket()).add(adds.slots, adds.codes, case.time, sign, times)
        if adds.stock_codes:
            bucket = buckets.setdefault((case.dims, EVER, 0), Bucket())
            bucket.add(adds.stock_slots, adds.stock_codes, case.time, sign, times)

    def _changes(self, customer: bytes, held: _Remembered, ledger: Ledger) -> Iterator[tuple[Emission, int]]:
        """Derived records and how many more of each there are now."""
        before = decode_held(held)
        # what the ledger had to drop for want of room still counts
        now = {entry.record: entry for entry in before} | {entry.record: entry for entry in ledger.entries(customer)}
        old, new = _by_subject(before, customer), _by_subject(now.values(), customer)
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


def _by_subject(entries: Iterable[Entry], customer: bytes) -> dict[int, list[Entry]]:
    """The entries that each subject of a customer is made of; nobody has tickets only."""
    subjects: dict[int, list[Entry]] = {}
    is_somebody = customer[:1] == b"c"
    for entry in entries:
        if entry.facts[0] == TICKET:
            subjects.setdefault(entry.facts[_TICKET_NUMBER], []).append(entry)
        elif is_somebody and entry.facts[0] == ACCOUNT:
            subjects.setdefault(_ACCOUNT, []).append(entry)
        if is_somebody and is_attempt(entry):
            subjects.setdefault(_CONTACTS, []).append(entry)
    return subjects
