"""Stage 1, pure: one source partition's state, and what a chunk of events does to it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, Protocol

import msgspec

from schemas.catalogue import RISK
from schemas.decoding import Invalid
from schemas.envelope import UNIDENTIFIED
from streams.core.cases.cases import Cases
from streams.core.definition import Definition
from streams.core.dimensions import Dimensions
from streams.core.lateness import EARLIEST, NEVER
from streams.core.ledger import Entry, Ledger
from streams.core.murmur2 import partition_of
from streams.core.partials import PaneKey, Partial, Partials
from streams.core.risks import Counted, Risks
from streams.core.sources import EPOCH, MILLISECOND, SOURCES, Source
from streams.core.tally import Tally, bucket_bytes

OUTCOMES = ("accepted", "duplicate", "corrected", "late", "rejected", "rekeyed")
"""What becomes of a received record; every one has exactly one."""

_SWEPT_PER_CHUNK = 64
_SETTLED = 256
_UNBOUNDED = 2**60

RISK_LABEL = RISK.name
"""Under this label the assessments of customers are counted; it is no source."""

CASES_LABEL = "cases"
"""Under this label what follows from several records of a customer is counted; it is no source either."""

DERIVED_LABELS = (RISK_LABEL, CASES_LABEL)


class Arrival(Protocol):
    """A record as it lies in a source partition; `timestamp` in ms, -1 where the broker has none."""

    @property
    def offset(self) -> int:
        """Where it lies in its partition."""
        ...

    @property
    def timestamp(self) -> int:
        """When it arrived, in milliseconds."""
        ...

    @property
    def key(self) -> bytes | None:
        """Its message key."""
        ...

    @property
    def value(self) -> bytes | None:
        """Its payload."""
        ...


class Rejected(NamedTuple):
    """A refused record, and why."""

    topic: str
    arrival: Arrival
    why: Invalid


class Rekeyed(NamedTuple):
    """A record that belongs to another partition: its source, and its customer's key."""

    topic: str
    arrival: Arrival
    key: bytes


class Progress(msgspec.Struct):
    """How far one topic has been applied, and what became of its records."""

    applied: int = -1
    received: int = 0
    outcomes: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    reasons: dict[str, int] = msgspec.field(default_factory=dict)
    last_event: int = NEVER

    @property
    def difference(self) -> int:
        """Received minus all outcomes: anything but 0 is a bug."""
        return self.received - sum(self.outcomes.values())


class Intake:
    """The state of one partition number over all source topics.

    `apply` changes it in memory and notes what changed; a checkpoint drains that. Nothing here does
    I/O or reads a clock.
    """

    def __init__(self, partition: int, definition: Definition) -> None:
        self.partition = partition
        self.definition = definition
        self.progress: dict[str, Progress] = {}
        self.watermarks: dict[str, int] = {}
        self.ledger = Ledger(definition.max_records)
        self.partials = Partials(definition.lateness)
        self.dimensions = Dimensions(definition.cuts, definition.max_cells)
        panes_of_one = len(definition.cuts) * len(definition.lateness.keep)
        self.cases = Cases(definition.lateness.wait, definition.horizon, len(definition.cuts), definition.hours)
        self.risks = Risks(definition.risk, definition.horizon, panes_of_one, on_events=not definition.replay)
        self.rejected: list[Rejected] = []
        self.rekeyed: list[Rekeyed] = []
        self.outbox_bytes = 0
        self._readers = {source.topic: _Reader(source, self.dimensions) for source in SOURCES}

    @property
    def pending_bytes(self) -> int:
        """Roughly what the next checkpoint of the state will take."""
        parts = (self.ledger, self.partials, self.risks, self.dimensions)
        return sum(part.pending_bytes for part in parts)

    def applied(self, topic: str) -> int:
        """The offset of the last record of this topic that is in the state; -1 for none."""
        progress = self.progress.get(topic)
        return -1 if progress is None else progress.applied

    def apply(
        self,
        topic: str,
        arrivals: Sequence[Arrival],
        now: int,
        origin: str | None = None,
        budget: int = _UNBOUNDED,
    ) -> int:
        """Take a chunk of records of one topic, in order of offsets; returns how many were taken.

        It stops early when what changed since the last checkpoint would take more than `budget` bytes.
        `now` is the wall clock in ms, which bounds what counts as the future. `origin` names the
        source topic of records that were re-keyed; they are trusted to lie in their partition.
        """
        stale = self._stale(topic, arrivals)
        arrivals = arrivals[stale:] if stale else arrivals
        if not arrivals or self.pending_bytes > budget:
            return stale
        progress = self.progress[topic]
        reader = self._readers[origin or topic]
        label = f"{topic}/{origin}" if origin else topic
        events, taken = reader.decoder.many([arrival.value for arrival in arrivals]), 0
        if reader.source.cased:
            self.watermarks[CASES_LABEL] = self._seen_of_cases()
        while taken < len(arrivals) and self.pending_bytes <= budget:
            tally = self._tally(label)
            chunk = _Chunk(self, topic, reader, tally, progress, rekey=origin is None)
            taken += chunk.run(arrivals[taken:], events[taken:], now, budget)
            self._close(tally)
            self._settle_cases()
            self._assess(now)
        progress.received += taken
        progress.applied = arrivals[taken - 1].offset
        self.ledger.sweep(self._floors(), _SWEPT_PER_CHUNK, max(budget - self.pending_bytes, budget // 10))
        return stale + taken

    def refuse(self, topic: str, arrivals: Sequence[Arrival], why: Invalid) -> None:
        """Take a chunk of records whose source nobody knows: all become dead letters."""
        stale = self._stale(topic, arrivals)
        progress = self.progress[topic]
        for arrival in arrivals[stale:]:
            self.note_reject(topic, progress, arrival, why)
            progress.outcomes["rejected"] += 1
            progress.received += 1
            progress.applied = arrival.offset

    def note_reject(self, topic: str, progress: Progress, arrival: Arrival, why: Invalid) -> None:
        """Keep a record that is refused for its dead letter, and count the reason."""
        self.rejected.append(Rejected(topic, arrival, why))
        progress.reasons[why.reason] = progress.reasons.get(why.reason, 0) + 1
        self.outbox_bytes += len(arrival.value or b"")

    def renew_risks(self, now: int, older: int, look: int, most: int, budget: int = _UNBOUNDED) -> bool:
        """Assess customers anew whose risk was assessed `older` ms before `now` (ms) or by another model.

        Of all customers, in turn, `look` are looked at in a call and at most `most` assessed; returns whether any was.
        """
        due = islice(self.risks.due(self.ledger, now - older, look), most)
        return self._assess_each(due, lambda customer: self.risks.renew(customer, self.ledger, now), budget)

    def settle_risks(self, at: int, budget: int = _UNBOUNDED) -> bool:
        """End of a replay: assess customers as known at `at` (ms), as far as the budget goes; False when all are."""
        span, waiting = self.definition.lateness.longest, self.risks.unsettled(self.ledger, at)
        return self._assess_each(
            islice(waiting, _SETTLED), lambda c: self.risks.settle(c, self.ledger, at, span), budget
        )

    def drain_panes(
        self, most: int = _UNBOUNDED
    ) -> tuple[list[tuple[PaneKey, int, Partial]], list[tuple[PaneKey, int]]]:
        """Partials that changed since the last call, and those that closed and are now forgotten.

        None is in both lists: what closes while it changes is forgotten by the next call, so that every
        change is in the state of some checkpoint. At most `most` are forgotten in one call.
        """
        closed: list[tuple[PaneKey, int]] = []
        for label, mark in self.watermarks.items():
            closed += self.partials.expire(label, mark, most - len(closed))
        return self.partials.drain(), closed

    def _tally(self, label: str) -> Tally:
        lateness = self.definition.lateness
        bytes_per_bucket = bucket_bytes(len(self.definition.cuts), len(lateness.keep))
        return Tally(label, self.watermarks.get(label, NEVER), min(lateness.keep.values()), bytes_per_bucket)

    def _close(self, tally: Tally) -> None:
        tally.roll_up(self.partials, self.dimensions)
        self.watermarks[tally.label] = tally.watermark

    def _settle_cases(self) -> None:
        mark = self.watermarks.get(CASES_LABEL, NEVER)
        self.cases.settle(self.ledger, self.partials, self.dimensions, CASES_LABEL, mark)

    def _seen_of_cases(self) -> int:
        """How far the records that cases are made of had been seen before a chunk (ms).

        Panes are closed to cases by this. The sources of a replay drain at any speed: there it is the slowest.
        """
        topics = [source.topic for source in SOURCES if source.cased]
        marks = [max((m for label, m in self.watermarks.items() if label.endswith(t)), default=NEVER) for t in topics]
        return min(marks) if self.definition.replay else max(marks)

    def _assess(self, now: int) -> None:
        if self.risks.touched_bytes:
            self._count(self.risks.assess(self.ledger, now))

    def _assess_each(self, customers: Iterator[bytes], how: Callable[[bytes], Iterable[Counted]], budget: int) -> bool:
        room = budget - self.pending_bytes
        chosen = list(islice(customers, max(room // self.risks.bytes_of_one, 0)))
        self._count(counted for customer in chosen for counted in how(customer))
        return bool(chosen)

    def _count(self, assessments: Iterable[Counted]) -> None:
        tally = self._tally(RISK_LABEL)
        tally.watermark = max(self.watermarks.values(), default=NEVER)
        for facts, time, dims, sign in assessments:
            tally.count(facts, time, dims, sign)
        self._close(tally)

    def _stale(self, topic: str, arrivals: Sequence[Arrival]) -> int:
        progress = self.progress.setdefault(topic, Progress())
        if arrivals and arrivals[0].offset > progress.applied:
            return 0
        return sum(arrival.offset <= progress.applied for arrival in arrivals)

    def _floors(self) -> list[int]:
        lateness = self.definition.lateness
        back = self.definition.horizon + max(lateness.allowance, lateness.longest)
        floors = [NEVER] * len(SOURCES)
        for code, source in enumerate(SOURCES):
            marks = [mark for label, mark in self.watermarks.items() if label.endswith(source.topic)]
            floors[code] = max(marks, default=NEVER) - back
        return floors


class _Reader:
    """A source with its decoder and what it has interned."""

    def __init__(self, source: Source, dimensions: Dimensions) -> None:
        self.source = source
        self.decoder = source.decoder()
        self.dimensions = source.dimensions(dimensions.fields)


class _Chunk:
    """One chunk on its way through: the loop that every event passes."""

    def __init__(
        self, intake: Intake, topic: str, reader: _Reader, tally: Tally, progress: Progress, rekey: bool
    ) -> None:
        self._intake = intake
        self._topic = topic
        self._source = reader.source
        self._read_dimensions = reader.dimensions
        self._tally = tally
        self._progress = progress
        self._rekey = rekey

    def run(  # noqa: C901, PLR0912, PLR0915 - one loop, for calls would cost half the speed
        self, arrivals: Sequence[Arrival], events: Sequence[Any], now: int, budget: int
    ) -> int:
        """Judge every event, in order, until the budget of bytes is used up; returns how many were judged.

        Every event passes this loop, and most are new records of known customers: what those need
        is spelled out here, everything rarer is a call.
        """
        intake, tally, ledger = self._intake, self._tally, self._intake.ledger
        bounds, rekey, assessed = intake.definition.lateness, self._rekey, intake.risks.enabled
        future, allowance = bounds.future, bounds.allowance
        identify, version_of, facts_of = self._source.identify, self._source.version, self._source.facts
        read_dimensions, number, count = self._read_dimensions, intake.dimensions.number, tally.count
        held_of, append, touch = ledger.customers.get, ledger.append, intake.risks.touch
        dimensions, risks, cases, is_cased = intake.dimensions, intake.risks, intake.cases, self._source.cased
        limit = budget - (intake.pending_bytes - ledger.pending_bytes - dimensions.pending_bytes)
        counts = dict.fromkeys(OUTCOMES, 0)
        newest, watermark = self._progress.last_event, tally.watermark
        judged = accepted = 0
        for arrival, event in zip(arrivals, events, strict=True):
            spent = ledger.pending_bytes + tally.bytes + dimensions.pending_bytes + risks.touched_bytes + cases.bytes
            if judged and spent > limit:
                break
            judged += 1
            if type(event) is Invalid:
                counts[self._reject(arrival, event)] += 1
                continue
            time = (event.time - EPOCH) // MILLISECOND
            timestamp = arrival.timestamp
            arrived = timestamp if 0 <= timestamp < now else now
            if time > arrived + future or time < EARLIEST:
                counts[self._reject(arrival, _unbelievable(time))] += 1
                continue
            record, customer = identify(event), event.customer
            nobody = not customer or customer in UNIDENTIFIED
            key = self._source.nobody(event, record) if nobody else b"c" + customer.encode()
            held = held_of(key)
            if held is None:
                known = False
                if rekey and self._is_foreign(arrival, event, key):
                    counts["rekeyed"] += 1
                    continue
            else:
                known = record in held if isinstance(held, bytes) else _is_in(record, held)
            if known:
                counts[self._judge_known(key, record, event, time)] += 1
            elif time < watermark - allowance:
                counts["late"] += 1
            else:
                dims, facts = number(read_dimensions(event)), facts_of(event)
                if is_cased:
                    cases.touch(key, held)
                append(key, (record, version_of(event, time), time, dims, facts))
                count(facts, time, dims, 1)
                accepted += 1
                if assessed:
                    touch(key)
            if time > newest:
                newest = time
            mark = time if time < arrived else arrived
            if mark > watermark:
                tally.watermark = watermark = mark
        counts["accepted"] += accepted
        self._progress.last_event = newest
        for outcome, number_of_them in counts.items():
            self._progress.outcomes[outcome] += number_of_them
        return judged

    def _judge_known(self, key: bytes, record: bytes, event: Any, time: int) -> str:
        """The outcome of an event whose record's identity stands somewhere in its customer's ledger."""
        intake, watermark = self._intake, self._tally.watermark
        version = self._source.version(event, time)
        found = intake.ledger.find(key, record)
        remembered = found is not None and found.entry.time >= watermark - intake.definition.horizon
        if found is not None and remembered and found.entry.version >= version:
            return "duplicate"
        if intake.definition.lateness.is_late(time, watermark):
            return "late"
        dims = intake.dimensions.number(self._read_dimensions(event))
        entry = Entry(record, version, time, dims, self._source.facts(event))
        if self._source.cased:
            intake.cases.touch(key, intake.ledger.customers.get(key))
        if found is None:
            intake.ledger.append(key, entry)
        else:
            intake.ledger.replace(key, found, entry)
        if found is not None and remembered:
            self._tally.count(found.entry.facts, found.entry.time, found.entry.dims, -1)
        self._tally.count(entry.facts, time, dims, 1)
        intake.risks.touch(key)
        return "corrected" if remembered else "accepted"

    def _is_foreign(self, arrival: Arrival, event: Any, key: bytes) -> bool:
        home = key[1:] if key[:1] == b"c" else event.record_id.encode()
        if partition_of(home, self._intake.definition.partitions) == self._intake.partition:
            return False
        self._intake.rekeyed.append(Rekeyed(self._source.topic, arrival, home))
        self._intake.outbox_bytes += len(arrival.value or b"")
        return True

    def _reject(self, arrival: Arrival, why: Invalid) -> str:
        self._intake.note_reject(self._topic, self._progress, arrival, why)
        return "rejected"


def _unbelievable(time: int) -> Invalid:
    if time < EARLIEST:
        return Invalid("out_of_range", "time", "before 1900; check the unit and the zone of the source's clock")
    return Invalid("future", "time", "further ahead of its arrival than lateness.future allows; check the clock")


def _is_in(record: bytes, segments: Sequence[bytes]) -> bool:
    for segment in segments:  # noqa: SIM110 - half the time of any() with a generator
        if record in segment:
            return True
    return False
