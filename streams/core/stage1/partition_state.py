"""Stage 1, pure: one source partition's state, and what a chunk of events does to it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from schemas.decoding import Invalid
from streams.core.churn.assessments import AssessmentDelta
from streams.core.events import EVENTS
from streams.core.events.source_label import ASSESSMENT_LABEL, DERIVED_LABEL, SourceLabel
from streams.core.ledger.retention import Floors
from streams.core.stage1.accumulator import ChunkAccumulator
from streams.core.stage1.checkpoint_budget import UNBOUNDED_BYTES
from streams.core.stage1.chunk import ChunkProcessor, SourceReader
from streams.core.stage1.definition import Definition
from streams.core.stage1.outcomes import SourceRecord, TopicProgress
from streams.core.stage1.state_parts import StateParts
from streams.core.time.lateness import NO_WATERMARK_MS
from streams.core.time.panes import ALL_TIME

_SWEPT_PER_CHUNK = 64
_SETTLED_AT_ONCE = 256


class PartitionState(StateParts):
    """The state of one partition number over all source topics.

    `apply` changes it in memory and notes what changed; a checkpoint drains that. Nothing here does I/O or reads a
    clock: the same chunks in the same order give the same state.
    """

    def __init__(self, partition: int, definition: Definition) -> None:
        super().__init__(partition, definition)
        self._readers = {source.topic.name: SourceReader(source, self.dimensions) for source in EVENTS}

    def applied(self, topic: str) -> int:
        """The offset of the last record of this topic that is in the state; -1 for none."""
        progress = self.progress.get(topic)
        return -1 if progress is None else progress.applied

    def apply(
        self,
        topic: str,
        records: Sequence[SourceRecord],
        now_ms: int,
        origin: str | None = None,
        budget_bytes: int = UNBOUNDED_BYTES,
    ) -> int:
        """Take a chunk of records of one topic, in order of offsets; returns how many were taken.

        It stops early when what changed since the last checkpoint would take more than the budget. `now_ms` is the
        wall clock, which bounds what counts as the future. `origin` names the source topic of records that were
        re-keyed; they are trusted to lie in their partition.
        """
        stale = self._stale(topic, records)
        records = records[stale:] if stale else records
        if not records or self.size.pending_bytes > budget_bytes:
            return stale
        progress = self.progress[topic]
        reader = self._readers[origin or topic]
        label = SourceLabel(topic, origin or "").text
        events, taken = reader.decoder.many([record.value for record in records]), 0
        if reader.source.has_derived_records:
            self.watermarks[DERIVED_LABEL] = self._derived_watermark()
        while taken < len(records) and self.size.pending_bytes <= budget_bytes:
            accumulator = self._accumulator(label)
            chunk = ChunkProcessor(self, topic, reader, accumulator, progress, rekey=origin is None)
            taken += chunk.process(records[taken:], events[taken:], now_ms, budget_bytes)
            self._roll_up(accumulator)
            self._apply_derived()
            self._assess(now_ms)
        progress.received += taken
        progress.applied = records[taken - 1].offset
        room = max(budget_bytes - self.size.pending_bytes, budget_bytes // 10)
        self.ledger.sweep(self._floors(), _SWEPT_PER_CHUNK, room)
        return stale + taken

    def refuse(self, topic: str, records: Sequence[SourceRecord], invalid: Invalid) -> None:
        """Take a chunk of records whose source is unknown: all become dead letters."""
        stale = self._stale(topic, records)
        progress = self.progress[topic]
        for record in records[stale:]:
            self.reject(topic, record, invalid)
            progress.outcomes["rejected"] += 1
            progress.received += 1
            progress.applied = record.offset

    def renew_assessments(
        self, now_ms: int, older_ms: int, look: int, most: int, budget_bytes: int = UNBOUNDED_BYTES
    ) -> bool:
        """Assess customers anew whose assessment is `older_ms` old or was made by another model; whether any was.

        A call looks at `look` customers, in turn, and assesses at most `most`.
        """
        due = islice(self.assessments.due(self.ledger, now_ms - older_ms, look), most)
        return self._assess_each(due, lambda key: self.assessments.renew(key, self.ledger, now_ms), budget_bytes)

    def settle_assessments(self, at_ms: int, budget_bytes: int = UNBOUNDED_BYTES) -> bool:
        """End of a replay: assess customers as known at `at_ms`, as far as the budget goes; False when all are."""
        span_ms, waiting = self.definition.lateness.longest_window_ms, self.assessments.unsettled(self.ledger, at_ms)
        return self._assess_each(
            islice(waiting, _SETTLED_AT_ONCE),
            lambda key: self.assessments.settle(key, self.ledger, at_ms, span_ms),
            budget_bytes,
        )

    def _accumulator(self, label: str) -> ChunkAccumulator:
        return ChunkAccumulator(label, self.watermarks.get(label, NO_WATERMARK_MS), self.definition.lateness)

    def _roll_up(self, accumulator: ChunkAccumulator) -> None:
        accumulator.roll_up(self.partials, self.dimensions)
        self.watermarks[accumulator.label] = accumulator.watermark_ms

    def _apply_derived(self) -> None:
        watermark_ms = self.watermarks.get(DERIVED_LABEL, NO_WATERMARK_MS)
        for (dims, resolution_s, start_ms), delta in self.derived.drain(self.ledger):
            cells = self.dimensions.cells_of(dims)
            if resolution_s == ALL_TIME:
                self.partials.apply_all_time(DERIVED_LABEL, cells, delta)
            else:
                self.partials.apply_at(resolution_s, DERIVED_LABEL, cells, start_ms, watermark_ms, delta)

    def _derived_watermark(self) -> int:
        """How far the records that derived records are made of had been seen before a chunk (ms).

        It closes the panes of derived records. The sources of a replay drain at any speed: there it is the slowest.
        """
        marks = [self._watermark_of(source.topic.name) for source in EVENTS if source.has_derived_records]
        return min(marks) if self.definition.replay else max(marks)

    def _watermark_of(self, topic: str) -> int:
        """How far the records of a source have been seen, whichever way they came (ms)."""
        marks = (mark for label, mark in self.watermarks.items() if SourceLabel.parse(label).source_topic == topic)
        return max(marks, default=NO_WATERMARK_MS)

    def _assess(self, now_ms: int) -> None:
        if self.assessments.touched:
            self._count(self.assessments.assess(self.ledger, now_ms))

    def _assess_each(
        self, customers: Iterator[bytes], assess: Callable[[bytes], Iterable[AssessmentDelta]], budget_bytes: int
    ) -> bool:
        room = budget_bytes - self.size.pending_bytes
        chosen = list(islice(customers, max(room // self.size.most_of_one_assessment, 0)))
        self._count(delta for customer in chosen for delta in assess(customer))
        return bool(chosen)

    def _count(self, assessments: Iterable[AssessmentDelta]) -> None:
        accumulator = self._accumulator(ASSESSMENT_LABEL)
        accumulator.watermark_ms = max(self.watermarks.values(), default=NO_WATERMARK_MS)
        for fields, time, dims, sign in assessments:
            accumulator.count(fields, time, dims, sign)
        self._roll_up(accumulator)

    def _stale(self, topic: str, records: Sequence[SourceRecord]) -> int:
        progress = self.progress.setdefault(topic, TopicProgress())
        if records and records[0].offset > progress.applied:
            return 0
        return sum(record.offset <= progress.applied for record in records)

    def _floors(self) -> Floors:
        lateness = self.definition.lateness
        back_ms = self.definition.horizon_ms + max(lateness.allowance_ms, lateness.longest_window_ms)
        return {source.code: self._watermark_of(source.topic.name) - back_ms for source in EVENTS}
