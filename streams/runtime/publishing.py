"""From results in memory to records of the derived topics."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec

from schemas.catalogue import PANES, REJECTS, REKEYED, RISK, SCORES
from schemas.dead_letter import RefusedRecord, dead_letter
from schemas.pane import Pane, Watermark
from schemas.reject import Reject
from schemas.risk import Contribution, Risk
from schemas.score import Score
from streams.core import scores
from streams.core.cells.dimensions import Cell
from streams.core.churn.assessments import AssessmentChange, StoredAssessment
from streams.core.churn.churn_model import PPM, Assessment
from streams.core.events.source_label import SourceLabel
from streams.core.scores.base import Accumulator
from streams.core.scores.contributions import by_score
from streams.core.stage1.comparison_inputs import comparison_inputs, comparison_keys
from streams.core.stage1.outcomes import RejectedRecord, RekeyedRecord
from streams.core.stage1.partials import PaneKey, PanePartial
from streams.core.stage1.partition_state import PartitionState
from streams.core.stage1.partitioner import partition_of
from streams.core.stage1.state_parts import StateChanges
from streams.core.time.instants import to_datetime
from streams.core.time.lateness import NO_WATERMARK_MS
from streams.runtime.checkpoint import Output
from streams.settings import Settings

ORIGIN = "cx-origin"
"""Header of a re-keyed record: source topic, partition and offset."""

_encode = msgspec.json.Encoder().encode
_NAMES = {score.code: score.name for score in scores.SCORES}


class CheckpointOutputs(NamedTuple):
    """The outputs of one checkpoint of stage 1.

    Those `before_state` are in no state, and must be published no later than it. Those `after_state` show what the
    state holds: a successor publishes them again when it cannot know that they were.
    """

    before_state: list[Output]
    after_state: list[Output]


class Publisher:
    """Makes the outputs of a worker; one for each app."""

    def __init__(self, settings: Settings) -> None:
        self._partitions = settings.kafka.partitions
        self._topics = {t.name: settings.topic(t.name) for t in (PANES, SCORES, RISK, REJECTS, REKEYED)}

    def checkpoint(self, changes: StateChanges, state: PartitionState) -> CheckpointOutputs:
        """All outputs that follow from changes of a state of stage 1."""
        partition = state.partition
        leaving = self.rejects(changes.rejected, partition) + self.rekeyed(changes.rekeyed, partition)
        return CheckpointOutputs(
            leaving, self.of_state(changes.assessments, changes.panes, changes.closed_panes, state)
        )

    def of_state(
        self,
        assessments: Iterable[AssessmentChange],
        panes: Iterable[tuple[PaneKey, int, PanePartial]],
        closed_panes: Iterable[tuple[PaneKey, int]],
        state: PartitionState,
    ) -> list[Output]:
        """The outputs that show what a state holds. A replay deletes no panes: all its windows are still to come."""
        outputs = self.assessments(assessments, state.partition) + self.panes(panes, state)
        if not state.definition.replay:
            outputs += self.closed_panes(closed_panes, state)
        return outputs + self.watermarks(state)

    def rejects(self, rejected: Iterable[RejectedRecord], partition: int) -> list[Output]:
        """Dead letters, in the partition their record came from."""
        return [self._reject(r, partition) for r in rejected]

    def rekeyed(self, records: Iterable[RekeyedRecord], partition: int) -> list[Output]:
        """Records on their way to their customer's partition, with their address."""
        return [
            Output(
                self._topics[REKEYED.name],
                partition_of(record.key, self._partitions),
                record.key,
                record.record.value,
                ((ORIGIN, f"{record.topic}|{partition}|{record.record.offset}".encode()),),
            )
            for record in records
        ]

    def panes(self, changed: Iterable[tuple[PaneKey, int, PanePartial]], state: PartitionState) -> list[Output]:
        """Partials, each in the partition of its cell, and the inputs of comparisons in that of their group."""
        cells = state.dimensions.cells
        return [
            output
            for key, number, partial in changed
            for output in self._panes(key, cells[number], partial, state.partition)
        ]

    def closed_panes(self, closed: Iterable[tuple[PaneKey, int]], state: PartitionState) -> list[Output]:
        """Deletions of panes that no live window can contain."""
        cells = state.dimensions.cells
        topic, partition = self._topics[PANES.name], state.partition
        return [
            Output(topic, self._home(of[0], cells[number]), _pane_key(of, cells[number], partition), None)
            for key, number in closed
            for of in (key, *comparison_keys(key, cells[number].cut))
        ]

    def watermarks(self, state: PartitionState) -> list[Output]:
        """How far this source partition has got, to every partition of stage 2."""
        records = []
        for label, watermark_ms in state.watermarks.items():
            source = SourceLabel.parse(label)
            if source.is_derived:
                continue
            time = None if watermark_ms == NO_WATERMARK_MS else to_datetime(watermark_ms)
            applied = state.progress[source.topic].applied
            watermark = Watermark(topic=label, partition=state.partition, offset=applied, time=time)
            key, value = f"watermark|{label}|{state.partition}".encode(), _encode(watermark)
            records += [Output(self._topics[PANES.name], p, key, value) for p in range(self._partitions)]
        return records

    def assessments(self, changes: Iterable[AssessmentChange], partition: int) -> list[Output]:
        """Churn risks, each in its customer's partition; a deletion where a customer is forgotten."""
        return [
            Output(self._topics[RISK.name], partition, key[1:], _risk(key, assessed, assessment))
            for key, _, assessed, assessment in changes
        ]

    def scores(self, results: Iterable[Score], partition: int) -> list[Output]:
        """Window results, in the partition of their cell."""
        return [Output(self._topics[SCORES.name], partition, score_key(r), _encode(r)) for r in results]

    def _panes(self, key: PaneKey, cell: Cell, partial: PanePartial, partition: int) -> Iterator[Output]:
        accs = by_score(partial.counts)
        yield self._pane(key, cell, partition, partial.version, partial.last, accs)
        label = SourceLabel.parse(key[0])
        for group, last, own in comparison_inputs(cell.cut, partial.last, accs):
            input_key = (label.for_group(group).text, *key[1:])
            yield self._pane(input_key, cell, partition, partial.version, last, own)

    def _pane(
        self,
        key: PaneKey,
        cell: Cell,
        partition: int,
        version: int,
        last: Mapping[int, int],
        accs: Mapping[int, Accumulator],
    ) -> Output:
        label, resolution, start = key
        pane = Pane(
            cut=cell.cut,
            cell=cell.name,
            resolution=resolution,
            start=to_datetime(start),
            topic=label,
            partition=partition,
            version=version,
            last={_NAMES[code]: to_datetime(ms) for code, ms in last.items()},
            counts={_NAMES[code]: counts for code, counts in accs.items() if counts},
        )
        return Output(self._topics[PANES.name], self._home(label, cell), _pane_key(key, cell, partition), _encode(pane))

    def _home(self, label: str, cell: Cell) -> int:
        """The partition of stage 2 for what was counted under this label: all cells of a comparison group share one."""
        group = SourceLabel.parse(label).group
        return _group_home(group, self._partitions) if group else _cell_home(cell.cut, cell.name, self._partitions)

    def _reject(self, rejected: RejectedRecord, partition: int) -> Output:
        record = rejected.record
        refused = RefusedRecord(record.offset, record.timestamp, record.key, record.value)
        reject = dead_letter(rejected.topic, partition, refused, rejected.invalid)
        return reject_output(self._topics[REJECTS.name], reject)


def _risk(key: bytes, assessed: StoredAssessment | None, assessment: Assessment | None) -> bytes | None:
    if assessed is None or assessment is None:
        return None
    record = Risk(
        customer=key[1:].decode(),
        time=to_datetime(assessed.at_ms),
        risk=None if assessment.ppm is None else assessment.ppm / PPM,
        band=assessment.band,  # type: ignore[arg-type]
        base=assessment.base,
        contributions=[Contribution(feature=f, value=v, points=p) for f, v, p in assessment.contributions],
        coverage=assessment.coverage,
        horizon_days=assessment.horizon_days,
        model=assessment.model,
        revision=assessed.version,
    )
    return _encode(record)


def reject_output(topic: str, reject: Reject) -> Output:
    """A dead letter, keyed by the address of its record, in the same partition number."""
    address = f"{reject.topic}|{reject.partition}|{reject.offset}".encode()
    return Output(topic, reject.partition, address, _encode(reject))


def score_key(score: Score) -> bytes:
    """The key of a window result: of one cell's window the newest is kept."""
    return f"{score.score}|{score.cut}|{score.cell}|{score.window}".encode()


@lru_cache(maxsize=65_536)
def _cell_home(cut: str, cell: str, partitions: int) -> int:
    return partition_of(f"{cut}|{cell}".encode(), partitions)


@lru_cache(maxsize=64)
def _group_home(group: str, partitions: int) -> int:
    return partition_of(group.encode(), partitions)


def _pane_key(key: PaneKey, cell: Cell, partition: int) -> bytes:
    label, resolution, start = key
    return f"{cell.cut}|{cell.name}|{resolution}|{start}|{label}|{partition}".encode()
