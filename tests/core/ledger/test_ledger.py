"""The ledger is a dictionary of records by customer that is bounded and comes back from its changelog.

The segments of one customer, oldest first; a record is appended to the last one, and a full one starts the next:

    number      0                    1                    2
            [ r1 r2 … r7 ]      [ r8 r9 … r14 ]      [ r15 r16 ] ◀── append
                 │                    │
                 │                    └─ a correction rewrites the segment that holds the record
                 └─ goes first when the customer has more than `max_records`

Forgetting, for one source whose floor is at F (event time runs to the right):

            r1    r2        F       r3    r4
     ────────●─────●────────┃────────●─────●────▶
          forgotten                kept
          (unless its source keeps it: changes of a ticket that is still young, what holds of an account)
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streams.core.events.accounts import ACCOUNT
from streams.core.events.entry import Entry
from streams.core.events.identity import identity_of
from streams.core.events.tickets import TICKET
from streams.core.ledger.ledger import EntryLocation, Ledger
from streams.core.ledger.retention import Floors
from streams.core.ledger.segments import RECORDS_PER_SEGMENT
from streams.core.stage1.definition import STATE_FORM

CUSTOMERS = (b"ca", b"cb", b"nobody--")
RECORDS = tuple(bytes((7, 1, 2, 3, 4, 5, 6, number)) for number in range(40))


def entry(record: bytes = RECORDS[0], version: int = 1, time: int = 0, source: int = 2) -> Entry:
    return Entry(record, version, time, 0, (source, 0, -1, -1, -1, -1, -1, record[-1] % 3))


def age(entry: Entry, known: dict[bytes, Entry]) -> int:
    """Its time; of a ticket's change that of the newest one."""
    if entry.fields[0] != TICKET:
        return entry.time_ms
    return max(e.time_ms for e in known.values() if e.fields[0] == TICKET and e.fields[7] == entry.fields[7])


def holds(entry: Entry, known: dict[bytes, Entry], floors: Floors) -> bool:
    """Whether an account event tells what is still so, of an account that lives or of a customer there is more of."""
    own = sorted((e for e in known.values() if e.fields[0] == ACCOUNT), key=lambda e: (e.time_ms, e.identity))
    if entry not in own:
        return False
    if own[-1].fields[1] == 2:
        return entry == own[-1] and any(
            e.fields[0] != ACCOUNT and e.time_ms >= floors[e.fields[0]] for e in known.values()
        )
    alive = [e for n, e in enumerate(own) if all(later.fields[1] != 2 for later in own[n:])]
    last = [[e for e in own if e.fields[1] == 0], [e for e in own if e.fields[2] != -1]]
    return entry in [alive[0], *(some[-1] for some in last if some)]


def append(ledger: Ledger, customer: bytes, new: Entry) -> None:
    ledger.append(
        customer, ledger.customers.get(customer), (new.identity, new.version, new.time_ms, new.dims, new.fields)
    )


def filled(ledger: Ledger, records: int, customer: bytes = b"ca") -> Ledger:
    for number in range(records):
        append(ledger, customer, entry(number.to_bytes(8, "big"), time=number))
    return ledger


def replayed(log: dict[bytes, bytes], max_records: int) -> Ledger:
    ledger = Ledger(max_records)
    for key, value in log.items():
        ledger.load(key, value)
    return ledger


def write(log: dict[bytes, bytes], changes: list[tuple[bytes, bytes | None]]) -> None:
    for key, value in changes:
        if value is None:
            log.pop(key, None)
        else:
            log[key] = value


class Model(RuleBasedStateMachine):
    """A ledger beside plain dictionaries, with checkpoints to a compacted changelog and restarts from it."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(10_000)
        self.model: dict[bytes, dict[bytes, Entry]] = {}
        self.log: dict[bytes, bytes] = {}
        self.durable: dict[bytes, dict[bytes, Entry]] = {}

    # an integer of eight bytes in a record is encoded like the identity of another
    versions = st.sampled_from((0, 1, 2**40, *(int.from_bytes(record, "big") for record in RECORDS[:5])))

    @rule(
        customer=st.sampled_from(CUSTOMERS),
        first=st.integers(0, 39),
        number=st.integers(1, 20),
        version=versions,
        time=st.integers(0, 9),
        source=st.integers(0, 3),
    )
    def append_new_ones(self, customer: bytes, first: int, number: int, version: int, time: int, source: int) -> None:
        for record in RECORDS[first : first + number]:
            if record not in self.model.get(customer, {}):
                new = entry(record, version, time, source)
                append(self.ledger, customer, new)
                self.model.setdefault(customer, {})[record] = new

    @precondition(lambda self: self.model)
    @rule(data=st.data(), version=versions, time=st.integers(0, 9))
    def replace(self, data: st.DataObject, version: int, time: int) -> None:
        customer = data.draw(st.sampled_from(sorted(self.model)))
        record = data.draw(st.sampled_from(sorted(self.model[customer])))
        found, new = self.ledger.find(customer, record), entry(record, version, time)
        assert isinstance(found, EntryLocation)
        self.ledger.replace(customer, found, new)
        self.model[customer][record] = new

    @precondition(lambda self: self.model)
    @rule(data=st.data(), floors=st.fixed_dictionaries({code: st.integers(0, 10) for code in range(4)}))
    def forget(self, data: st.DataObject, floors: Floors) -> None:
        customer = data.draw(st.sampled_from(sorted(self.model)))
        before = len(self.model[customer])
        self.forget_in_model(customer, floors)
        assert self.ledger.forget_before(customer, floors) == (len(self.model.get(customer, ())) < before)

    @rule(floors=st.fixed_dictionaries({code: st.integers(0, 6) for code in range(4)}))
    def sweep_around(self, floors: Floors) -> None:
        for _ in range(2):  # the first call may be the end of a round
            self.ledger.sweep(floors, len(CUSTOMERS) + 1)
        self.ledger.sweep(floors, len(CUSTOMERS) + 1)
        for customer in list(self.model):
            self.forget_in_model(customer, floors)

    def forget_in_model(self, customer: bytes, floors: Floors) -> None:
        known = self.model.pop(customer)
        kept = {r: e for r, e in known.items() if age(e, known) >= floors[e.fields[0]] or holds(e, known, floors)}
        if kept:
            self.model[customer] = kept

    @rule()
    def checkpoint(self) -> None:
        write(self.log, self.ledger.drain())
        assert self.ledger.pending_bytes == 0
        assert self.ledger.drain() == []
        self.durable = {customer: dict(entries) for customer, entries in self.model.items()}

    @rule(data=st.data())
    def restart(self, data: st.DataObject) -> None:
        keys = data.draw(st.permutations(sorted(self.log)))
        self.ledger = replayed({key: self.log[key] for key in keys}, 10_000)
        self.model = {customer: dict(entries) for customer, entries in self.durable.items()}

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        assert set(self.ledger.customers) == set(self.model)
        for customer, entries in self.model.items():
            assert self.ledger.entries(customer) == list(entries.values())
            held = self.ledger.customers[customer]
            assert isinstance(held, bytes) or held.identities == b"".join(entries)
            for record in RECORDS:
                found = self.ledger.find(customer, record)
                assert (found.entry if found else None) == entries.get(record)
        assert self.ledger.overflow == 0


Model.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
test_a_ledger_is_a_dictionary_that_survives_restarts: Any = Model.TestCase


@pytest.mark.parametrize(
    ("max_records", "appended", "kept"),
    [
        (16, 14, 14),
        (16, 15, 8),
        (16, 28, 14),
        (30, 28, 28),
        (30, 29, 22),
        (1_024, 2_000, 2_000 - 140 * RECORDS_PER_SEGMENT),
    ],
)
def test_of_one_customer_the_oldest_segments_go_and_are_counted(max_records: int, appended: int, kept: int) -> None:
    ledger = filled(Ledger(max_records), appended)
    times = [e.time_ms for e in ledger.entries(b"ca")]
    assert times == list(range(appended - kept, appended))
    assert ledger.overflow == appended - kept
    assert len(times) <= max_records


def test_what_overflowed_is_gone_after_a_restart_too() -> None:
    ledger, log = Ledger(30), dict[bytes, bytes]()
    for number in range(100):
        append(ledger, b"ca", entry(number.to_bytes(8, "big"), time=number))
        if number % 7 == 0:
            write(log, ledger.drain())
    write(log, ledger.drain())
    assert replayed(log, 30).entries(b"ca") == ledger.entries(b"ca")
    assert len(log) == 4


def test_an_append_writes_one_segment_however_many_there_are() -> None:
    ledger = filled(Ledger(1_024), 903)
    assert len(ledger.drain()) == 129
    append(ledger, b"ca", entry(b"newest--"))
    [(key, value)] = ledger.drain()
    assert key == (129).to_bytes(4, "big") + b"ca"
    assert value is not None
    assert len(value) < 40
    assert len(replayed({key: value}, 1_024).entries(b"ca")) == 1


def test_pending_bytes_are_at_least_what_a_checkpoint_takes() -> None:
    ledger = Ledger(1_024)
    for number in range(500):
        append(ledger, b"c%d" % (number % 7), entry(number.to_bytes(8, "big"), version=2**50, time=number))
    for number in range(0, 500, 3):
        customer, record = b"c%d" % (number % 7), number.to_bytes(8, "big")
        found = ledger.find(customer, record)
        assert found is not None
        ledger.replace(customer, found, entry(record, 2**60))
    pending = ledger.pending_bytes
    assert pending >= sum(len(key) + len(value or b"") for key, value in ledger.drain())


def test_a_deleted_segment_read_back_is_deleted_and_the_last_one_takes_the_customer_along() -> None:
    ledger = filled(Ledger(1_024), 12)
    first, second = (key for key, _ in ledger.drain())
    ledger.unload(first)
    assert [e.time_ms for e in ledger.entries(b"ca")] == list(range(7, 12))
    ledger.unload(second)
    assert ledger.customers == {}
    ledger.unload(second)
    assert ledger.customers == {}


def test_a_sweep_goes_around_all_customers_a_few_at_a_time() -> None:
    ledger = Ledger(1_024)
    for number in range(100):
        append(ledger, b"c%d" % number, entry(time=number))
    floors, sizes = dict.fromkeys(range(4), 50), []
    for _ in range(12):
        ledger.sweep(floors, 10)
        sizes.append(len(ledger.customers))
    assert max(a - b for a, b in zip([100, *sizes], sizes, strict=False)) == 10
    assert sizes[-1] == 50
    assert min(e.time_ms for c in ledger.customers for e in ledger.entries(c)) == 50


def test_a_round_of_the_sweep_begins_when_a_floor_has_moved_on() -> None:
    ledger = Ledger(1_024, sweep_every_ms=10)

    def swept(floor: int) -> int:
        append(ledger, b"old", entry(time=0))
        for _ in range(3):
            ledger.sweep({0: 0, 1: 0, 2: floor, 3: 0}, 10)
        return len(ledger.customers)

    assert [swept(floor) for floor in (5, 14, 15, 24, 25)] == [0, 1, 0, 1, 0]


def test_nothing_is_found_of_a_customer_never_seen() -> None:
    assert Ledger(16).find(b"ca", RECORDS[0]) is None


def test_identities_differ_by_topic_and_by_where_one_part_ends() -> None:
    parts = (("t", "ab", "c"), ("t", "a", "bc"), ("u", "ab", "c"), ("t", "abc"))
    assert len({identity_of(*names) for names in parts}) == 4


def test_state_with_other_identities_is_state_of_another_form() -> None:
    # whoever has to change this raises the form: what is named otherwise would count twice
    named = identity_of("cx.surveys.v1", "r-1").hex()
    assert (STATE_FORM, RECORDS_PER_SEGMENT, named) == (3, 7, "2129f9d949f0f32d"), (
        "raise STATE_FORM: what is named otherwise counts twice"
    )
