"""Stage 1, pure: one source partition's state, and what a chunk of events does to it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from schemas.decoding import Invalid
from streams.core.cells.dimensions import DimensionRegistry
from streams.core.churn.assessments import AssessmentDelta, Assessments
from streams.core.derived.derived_records import DerivedRecords
from streams.core.events.sources import SOURCES
from streams.core.ledger.ledger import Ledger
from streams.core.stage1.accumulator import ChunkAccumulator, bucket_bytes
from streams.core.stage1.chunk import ChunkProcessor, SourceReader
from streams.core.stage1.definition import Definition
from streams.core.stage1.outcomes import (
    CASES_LABEL,
    RISK_LABEL,
    RejectedRecord,
    RekeyedRecord,
    SourceRecord,
    TopicProgress,
)
from streams.core.stage1.partials import PaneKey, PanePartial, Partials
from streams.core.time.lateness import NO_WATERMARK_MS

_SWEPT_PER_CHUNK = 64
_ROUNDS = 64
"""How often a ledger is gone through while its horizon passes: what is too old but still there counts for nothing."""

_SETTLED = 256
_UNBOUNDED = 2**60


class PartitionState:
    """The state of one partition number over all source topics.

    `apply` changes it in memory and notes what changed; a checkpoint drains that. Nothing here does
    I/O or reads a clock.
    """

    def __init__(self, partition: int, definition: Definition) -> None:
        self.partition = partition
        self.definition = definition
        self.progress: dict[str, TopicProgress] = {}
        self.watermarks: dict[str, int] = {}
        self.ledger = Ledger(definition.max_records, definition.horizon_ms // _ROUNDS)
        self.partials = Partials(definition.lateness)
        self.dimensions = DimensionRegistry(definition.cuts, definition.max_cells)
        panes_of_one = len(definition.cuts) * len(definition.lateness.keep_ms)
        self.derived = DerivedRecords(
            definition.lateness.wait_ms, definition.horizon_ms, len(definition.cuts), definition.hours
        )
        self.assessments = Assessments(
            definition.churn_model, definition.horizon_ms, panes_of_one, on_events=not definition.replay
        )
        self.rejected: list[RejectedRecord] = []
        self.rekeyed: list[RekeyedRecord] = []
        self.outbox_bytes = 0
        self._readers = {source.topic: SourceReader(source, self.dimensions) for source in SOURCES}

    @property
    def pending_bytes(self) -> int:
        """Roughly what the next checkpoint of the state will take."""
        parts = (self.ledger, self.partials, self.assessments, self.dimensions)
        return sum(part.pending_bytes for part in parts)

    def applied(self, topic: str) -> int:
        """The offset of the last record of this topic that is in the state; -1 for none."""
        progress = self.progress.get(topic)
        return -1 if progress is None else progress.applied

    def apply(
        self,
        topic: str,
        arrivals: Sequence[SourceRecord],
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
            chunk = ChunkProcessor(self, topic, reader, tally, progress, rekey=origin is None)
            taken += chunk.process(arrivals[taken:], events[taken:], now, budget)
            self._close(tally)
            self._settle_cases()
            self._assess(now)
        progress.received += taken
        progress.applied = arrivals[taken - 1].offset
        self.ledger.sweep(self._floors(), _SWEPT_PER_CHUNK, max(budget - self.pending_bytes, budget // 10))
        return stale + taken

    def refuse(self, topic: str, arrivals: Sequence[SourceRecord], why: Invalid) -> None:
        """Take a chunk of records whose source nobody knows: all become dead letters."""
        stale = self._stale(topic, arrivals)
        progress = self.progress[topic]
        for arrival in arrivals[stale:]:
            self.note_reject(topic, progress, arrival, why)
            progress.outcomes["rejected"] += 1
            progress.received += 1
            progress.applied = arrival.offset

    def note_reject(self, topic: str, progress: TopicProgress, arrival: SourceRecord, why: Invalid) -> None:
        """Keep a record that is refused for its dead letter, and count the reason."""
        self.rejected.append(RejectedRecord(topic, arrival, why))
        progress.reasons[why.reason] = progress.reasons.get(why.reason, 0) + 1
        self.outbox_bytes += len(arrival.value or b"")

    def renew_risks(self, now: int, older: int, look: int, most: int, budget: int = _UNBOUNDED) -> bool:
        """Assess customers anew whose risk was assessed `older` ms before `now` (ms) or by another model.

        Of all customers, in turn, `look` are looked at in a call and at most `most` assessed; returns whether any was.
        """
        due = islice(self.assessments.due(self.ledger, now - older, look), most)
        return self._assess_each(due, lambda customer: self.assessments.renew(customer, self.ledger, now), budget)

    def settle_risks(self, at: int, budget: int = _UNBOUNDED) -> bool:
        """End of a replay: assess customers as known at `at` (ms), as far as the budget goes; False when all are."""
        span, waiting = self.definition.lateness.longest_window_ms, self.assessments.unsettled(self.ledger, at)
        return self._assess_each(
            islice(waiting, _SETTLED), lambda c: self.assessments.settle(c, self.ledger, at, span), budget
        )

    def drain_panes(
        self, most: int = _UNBOUNDED
    ) -> tuple[list[tuple[PaneKey, int, PanePartial]], list[tuple[PaneKey, int]]]:
        """Partials that changed since the last call, and those that closed and are now forgotten.

        None is in both lists: what closes while it changes is forgotten by the next call, so that every
        change is in the state of some checkpoint. At most `most` are forgotten in one call.
        """
        closed: list[tuple[PaneKey, int]] = []
        for label, mark in self.watermarks.items():
            closed += self.partials.expire(label, mark, most - len(closed))
        return self.partials.drain(), closed

    def _tally(self, label: str) -> ChunkAccumulator:
        lateness = self.definition.lateness
        bytes_per_bucket = bucket_bytes(len(self.definition.cuts), len(lateness.keep_ms))
        return ChunkAccumulator(
            label, self.watermarks.get(label, NO_WATERMARK_MS), min(lateness.keep_ms.values()), bytes_per_bucket
        )

    def _close(self, tally: ChunkAccumulator) -> None:
        tally.roll_up(self.partials, self.dimensions)
        self.watermarks[tally.label] = tally.watermark

    def _settle_cases(self) -> None:
        mark = self.watermarks.get(CASES_LABEL, NO_WATERMARK_MS)
        self.derived.apply_changes(self.ledger, self.partials, self.dimensions, CASES_LABEL, mark)

    def _seen_of_cases(self) -> int:
        """How far the records that cases are made of had been seen before a chunk (ms).

        Panes are closed to cases by this. The sources of a replay drain at any speed: there it is the slowest.
        """
        topics = [source.topic for source in SOURCES if source.cased]
        marks = [
            max((m for label, m in self.watermarks.items() if label.endswith(t)), default=NO_WATERMARK_MS)
            for t in topics
        ]
        return min(marks) if self.definition.replay else max(marks)

    def _assess(self, now: int) -> None:
        if self.assessments.touched_bytes:
            self._count(self.assessments.assess(self.ledger, now))

    def _assess_each(
        self, customers: Iterator[bytes], how: Callable[[bytes], Iterable[AssessmentDelta]], budget: int
    ) -> bool:
        room = budget - self.pending_bytes
        chosen = list(islice(customers, max(room // self.assessments.bytes_of_one, 0)))
        self._count(counted for customer in chosen for counted in how(customer))
        return bool(chosen)

    def _count(self, assessments: Iterable[AssessmentDelta]) -> None:
        tally = self._tally(RISK_LABEL)
        tally.watermark = max(self.watermarks.values(), default=NO_WATERMARK_MS)
        for facts, time, dims, sign in assessments:
            tally.count(facts, time, dims, sign)
        self._close(tally)

    def _stale(self, topic: str, arrivals: Sequence[SourceRecord]) -> int:
        progress = self.progress.setdefault(topic, TopicProgress())
        if arrivals and arrivals[0].offset > progress.applied:
            return 0
        return sum(arrival.offset <= progress.applied for arrival in arrivals)

    def _floors(self) -> list[int]:
        lateness = self.definition.lateness
        back = self.definition.horizon_ms + max(lateness.allowance_ms, lateness.longest_window_ms)
        floors = [NO_WATERMARK_MS] * len(SOURCES)
        for code, source in enumerate(SOURCES):
            marks = [mark for label, mark in self.watermarks.items() if label.endswith(source.topic)]
            floors[code] = max(marks, default=NO_WATERMARK_MS) - back
        return floors
