"""What becomes of each event of a chunk: the loop that every event passes."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import astuple

from schemas.decoding import Invalid
from schemas.envelope import UNIDENTIFIED
from streams.core.cells.dimensions import DimensionRegistry
from streams.core.events.entry import Entry
from streams.core.events.source import EventSource
from streams.core.stage1.accumulator import ChunkAccumulator
from streams.core.stage1.outcomes import RECORD_OUTCOMES, RekeyedRecord, SourceRecord, TopicProgress
from streams.core.stage1.partitioner import partition_of
from streams.core.stage1.state_parts import StateParts
from streams.core.time.instants import EPOCH, MILLISECOND
from streams.core.time.lateness import EARLIEST_MS


class SourceReader:
    """A source with its decoder and its way to read the dimensions that the cuts use."""

    def __init__(self, source: EventSource, dimensions: DimensionRegistry) -> None:
        self.source = source
        self.decoder = source.decoder()
        self.dimensions = source.dimensions(dimensions.fields)


class ChunkProcessor:
    """One chunk of one topic on its way through the state; used once.

    With `rekey`, records of customers that belong to another partition are sent there.
    """

    def __init__(
        self,
        state: StateParts,
        topic: str,
        reader: SourceReader,
        accumulator: ChunkAccumulator,
        progress: TopicProgress,
        rekey: bool,
    ) -> None:
        self._state = state
        self._topic = topic
        self._source = reader.source
        self._read_dimensions = reader.dimensions
        self._accumulator = accumulator
        self._progress = progress
        self._rekey = rekey

    def process(  # noqa: C901, PLR0912, PLR0915 - one loop: a call for each step would halve the speed
        self, records: Sequence[SourceRecord], events: Sequence[Any], now_ms: int, budget_bytes: int
    ) -> int:
        """Decide the outcome of every event, in order, until the budget is used up; returns how many were taken.

        Most events are new records of known customers: what those need is spelled out here, everything rarer is a
        call. The first event is always taken, so that a chunk makes progress under any budget.
        """
        state, accumulator, ledger = self._state, self._accumulator, self._state.ledger
        lateness, rekey, assessed = state.definition.lateness, self._rekey, state.assessments.enabled
        future_ms, late_before = lateness.future_ms, lateness.late_before
        identify, version_of, read = self._source.identify, self._source.version, self._source.read
        read_dimensions, intern, count = self._read_dimensions, state.dimensions.intern, accumulator.count
        segments_of, append, touch = ledger.customers.get, ledger.append, state.assessments.touch
        derived, has_derived = state.derived, self._source.has_derived_records
        most_bytes = state.size.most_of_one_event(has_derived)
        counts = dict.fromkeys(RECORD_OUTCOMES, 0)
        newest_ms, watermark_ms = self._progress.last_event, accumulator.watermark_ms
        late_ms = late_before(watermark_ms)
        taken = accepted = measured = 0
        for record, event in zip(records, events, strict=True):
            if taken >= measured:  # far from the limit, the size is not asked for every event
                spent_bytes = state.size.with_chunk(accumulator)
                if spent_bytes > budget_bytes and has_derived and derived.compute_changes(ledger):
                    spent_bytes = state.size.with_chunk(accumulator)
                if taken and spent_bytes > budget_bytes:
                    break
                measured = taken + 1 + (budget_bytes - spent_bytes) // most_bytes
            taken += 1
            if type(event) is Invalid:
                counts[self._reject(record, event)] += 1
                continue
            time_ms = (event.time - EPOCH) // MILLISECOND
            timestamp_ms = record.timestamp
            arrived_ms = timestamp_ms if 0 <= timestamp_ms < now_ms else now_ms
            if time_ms > arrived_ms + future_ms or time_ms < EARLIEST_MS:
                counts[self._reject(record, _unbelievable(time_ms))] += 1
                continue
            identity, customer = identify(event), event.customer
            anonymous = not customer or customer in UNIDENTIFIED
            key = self._source.anonymous_key(event, identity) if anonymous else b"c" + customer.encode()
            segments = segments_of(key)
            if segments is None:
                maybe_known = False
                if rekey and self._is_foreign(record, event, key):
                    counts["rekeyed"] += 1
                    continue
            else:
                maybe_known = identity in (segments if isinstance(segments, bytes) else segments.identities)
            if maybe_known:
                counts[self._take_known(key, identity, event, time_ms)] += 1
            elif time_ms < late_ms:
                counts["late"] += 1
            else:
                dims, fields = intern(read_dimensions(event)), read(event)
                if has_derived:
                    derived.snapshot_before(key, segments, fields, time_ms)
                append(key, segments, (identity, version_of(event, time_ms), time_ms, dims, fields))
                count(fields, time_ms, dims, 1)
                accepted += 1
                if assessed:
                    touch(key)
            if time_ms > newest_ms:
                newest_ms = time_ms
            mark_ms = time_ms if time_ms < arrived_ms else arrived_ms
            if mark_ms > watermark_ms:
                accumulator.watermark_ms = watermark_ms = mark_ms
                late_ms = late_before(mark_ms)
        counts["accepted"] += accepted
        self._progress.last_event = newest_ms
        for outcome, number in counts.items():
            self._progress.outcomes[outcome] += number
        return taken

    def _take_known(self, key: bytes, identity: bytes, event: Any, time_ms: int) -> str:
        """The outcome of an event whose record's identity stands somewhere in its customer's ledger."""
        state, watermark_ms = self._state, self._accumulator.watermark_ms
        version = self._source.version(event, time_ms)
        found = state.ledger.find(key, identity)
        remembered = found is not None and found.entry.time_ms >= watermark_ms - state.definition.horizon_ms
        if found is not None and remembered and found.entry.version >= version:
            return "duplicate"
        if state.definition.lateness.is_late(time_ms, watermark_ms):
            return "late"
        dims = state.dimensions.intern(self._read_dimensions(event))
        entry = Entry(identity, version, time_ms, dims, self._source.read(event))
        segments = state.ledger.customers.get(key)
        if self._source.has_derived_records:
            state.derived.snapshot_before(key, segments, entry.fields, time_ms)
            if found is not None:
                state.derived.snapshot_before(key, segments, found.entry.fields, found.entry.time_ms)
        if found is None:
            state.ledger.append(key, segments, astuple(entry))
        else:
            state.ledger.replace(key, found, entry)
        if found is not None and remembered:
            self._accumulator.count(found.entry.fields, found.entry.time_ms, found.entry.dims, -1)
        self._accumulator.count(entry.fields, time_ms, dims, 1)
        state.assessments.touch(key)
        return "corrected" if remembered else "accepted"

    def _is_foreign(self, record: SourceRecord, event: Any, key: bytes) -> bool:
        home = key[1:] if key[:1] == b"c" else event.record_id.encode()
        if partition_of(home, self._state.definition.partitions) == self._state.partition:
            return False
        self._state.rekeyed.append(RekeyedRecord(self._source.topic.name, record, home))
        return True

    def _reject(self, record: SourceRecord, invalid: Invalid) -> str:
        self._state.reject(self._topic, record, invalid)
        return "rejected"


def _unbelievable(time_ms: int) -> Invalid:
    if time_ms < EARLIEST_MS:
        return Invalid("out_of_range", "time", "before 1900; check the unit and the zone of the source's clock")
    return Invalid("future", "time", "further ahead of its arrival than lateness.future allows; check the clock")
