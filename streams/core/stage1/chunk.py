"""What becomes of each event of a chunk: the loop that every event passes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import astuple

from schemas.decoding import Invalid
from schemas.envelope import UNIDENTIFIED
from streams.core.cells.dimensions import DimensionRegistry
from streams.core.events.sources import EPOCH, MILLISECOND, Source
from streams.core.ledger.ledger import Entry
from streams.core.stage1.accumulator import ChunkAccumulator
from streams.core.stage1.outcomes import RECORD_OUTCOMES, RekeyedRecord, SourceRecord, TopicProgress
from streams.core.stage1.partitioner import partition_of
from streams.core.time.lateness import EARLIEST_MS

if TYPE_CHECKING:
    from streams.core.stage1.partition_state import PartitionState

_LONGEST = 16_384
"""More bytes than one event's own names take in the ledger and the dimensions."""


class SourceReader:
    """A source with its decoder and what it has interned."""

    def __init__(self, source: Source, dimensions: DimensionRegistry) -> None:
        self.source = source
        self.decoder = source.decoder()
        self.dimensions = source.dimensions(dimensions.fields)


class ChunkProcessor:
    """One chunk on its way through: the loop that every event passes."""

    def __init__(
        self,
        intake: "PartitionState",
        topic: str,
        reader: SourceReader,
        tally: ChunkAccumulator,
        progress: TopicProgress,
        rekey: bool,
    ) -> None:
        self._intake = intake
        self._topic = topic
        self._source = reader.source
        self._read_dimensions = reader.dimensions
        self._tally = tally
        self._progress = progress
        self._rekey = rekey

    def process(  # noqa: C901, PLR0912, PLR0915 - one loop, for calls would cost half the speed
        self, arrivals: Sequence[SourceRecord], events: Sequence[Any], now: int, budget: int
    ) -> int:
        """Judge every event, in order, until the budget of bytes is used up; returns how many were judged.

        Every event passes this loop, and most are new records of known customers: what those need
        is spelled out here, everything rarer is a call.
        """
        intake, tally, ledger = self._intake, self._tally, self._intake.ledger
        bounds, rekey, assessed = intake.definition.lateness, self._rekey, intake.assessments.enabled
        future, allowance = bounds.future_ms, bounds.allowance_ms
        identify, version_of, facts_of = self._source.identify, self._source.version, self._source.facts
        read_dimensions, number, count = self._read_dimensions, intake.dimensions.intern, tally.count
        held_of, append, touch = ledger.customers.get, ledger.append, intake.assessments.touch
        cases, is_cased = intake.derived, self._source.cased
        most = self._most_of_one()
        limit = budget - (intake.pending_bytes - ledger.pending_bytes - intake.dimensions.pending_bytes)
        counts = dict.fromkeys(RECORD_OUTCOMES, 0)
        newest, watermark = self._progress.last_event, tally.watermark
        judged = accepted = measured = 0
        for arrival, event in zip(arrivals, events, strict=True):
            if judged >= measured:  # far from the limit it is not asked for every event
                spent = self._spent()
                if spent > limit and is_cased and cases.compute_changes(ledger):
                    spent = self._spent()
                if judged and spent > limit:
                    break
                measured = judged + 1 + (limit - spent) // most
            judged += 1
            if type(event) is Invalid:
                counts[self._reject(arrival, event)] += 1
                continue
            time = (event.time - EPOCH) // MILLISECOND
            timestamp = arrival.timestamp
            arrived = timestamp if 0 <= timestamp < now else now
            if time > arrived + future or time < EARLIEST_MS:
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
                known = record in (held if isinstance(held, bytes) else held.identities)
            if known:
                counts[self._judge_known(key, record, event, time)] += 1
            elif time < watermark - allowance:
                counts["late"] += 1
            else:
                dims, facts = number(read_dimensions(event)), facts_of(event)
                if is_cased:
                    cases.snapshot_before(key, held, facts, time)
                append(key, held, (record, version_of(event, time), time, dims, facts))
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

    def _spent(self) -> int:
        intake = self._intake
        followed = intake.assessments.touched_bytes + intake.derived.bytes
        return intake.ledger.pending_bytes + self._tally.bytes + intake.dimensions.pending_bytes + followed

    def _most_of_one(self) -> int:
        """The most bytes that one event can add to a checkpoint."""
        intake = self._intake
        follows = intake.derived.bytes_of_one if self._source.cased else 0
        return 2 * self._tally.bytes_of_one + intake.assessments.bytes_of_one + follows + _LONGEST

    def _judge_known(self, key: bytes, record: bytes, event: Any, time: int) -> str:
        """The outcome of an event whose record's identity stands somewhere in its customer's ledger."""
        intake, watermark = self._intake, self._tally.watermark
        version = self._source.version(event, time)
        found = intake.ledger.find(key, record)
        remembered = found is not None and found.entry.time >= watermark - intake.definition.horizon_ms
        if found is not None and remembered and found.entry.version >= version:
            return "duplicate"
        if intake.definition.lateness.is_late(time, watermark):
            return "late"
        dims = intake.dimensions.intern(self._read_dimensions(event))
        entry = Entry(record, version, time, dims, self._source.facts(event))
        held = intake.ledger.customers.get(key)
        if self._source.cased:
            intake.derived.snapshot_before(key, held, entry.fields, time)
            if found is not None:
                intake.derived.snapshot_before(key, held, found.entry.fields, found.entry.time)
        if found is None:
            intake.ledger.append(key, held, astuple(entry))
        else:
            intake.ledger.replace(key, found, entry)
        if found is not None and remembered:
            self._tally.count(found.entry.fields, found.entry.time, found.entry.dims, -1)
        self._tally.count(entry.fields, time, dims, 1)
        intake.assessments.touch(key)
        return "corrected" if remembered else "accepted"

    def _is_foreign(self, arrival: SourceRecord, event: Any, key: bytes) -> bool:
        home = key[1:] if key[:1] == b"c" else event.record_id.encode()
        if partition_of(home, self._intake.definition.partitions) == self._intake.partition:
            return False
        self._intake.rekeyed.append(RekeyedRecord(self._source.topic, arrival, home))
        self._intake.outbox_bytes += len(arrival.value or b"")
        return True

    def _reject(self, arrival: SourceRecord, why: Invalid) -> str:
        self._intake.note_reject(self._topic, self._progress, arrival, why)
        return "rejected"


def _unbelievable(time: int) -> Invalid:
    if time < EARLIEST_MS:
        return Invalid("out_of_range", "time", "before 1900; check the unit and the zone of the source's clock")
    return Invalid("future", "time", "further ahead of its arrival than lateness.future allows; check the clock")
