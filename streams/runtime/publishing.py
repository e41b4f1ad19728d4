"""From results in memory to records of the derived topics."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import msgspec

from schemas.catalogue import PANES, REJECTS, REKEYED, RISK, SCORES
from schemas.dead_letter import Refused, dead_letter
from schemas.pane import Pane, Watermark
from schemas.reject import Reject
from schemas.risk import Contribution, Risk
from schemas.score import Score
from streams.core import scores
from streams.core.cells.dimensions import Cell
from streams.core.churn.assessments import AssessmentChange, StoredAssessment
from streams.core.churn.model import PPM, Assessment
from streams.core.events.sources import to_datetime
from streams.core.scores.contributions import by_score
from streams.core.stage1.comparison_inputs import comparison_inputs, comparison_keys, label_of, meeting_of
from streams.core.stage1.outcomes import DERIVED_LABELS, RejectedRecord, RekeyedRecord
from streams.core.stage1.partials import Counts, PaneKey, PanePartial
from streams.core.stage1.partition_state import PartitionState
from streams.core.stage1.partitioner import partition_of
from streams.core.time.lateness import NO_WATERMARK_MS
from streams.runtime.checkpoint import Output
from streams.settings import Settings

ORIGIN = "cx-origin"
"""Header of a re-keyed record: source topic, partition and offset."""

_encode = msgspec.json.Encoder().encode
_NAMES = {score.code: score.name for score in scores.SCORES}


class Publisher:
    """Makes the outputs of a worker; one for each app."""

    def __init__(self, settings: Settings) -> None:
        self._partitions = settings.kafka.partitions
        self._topics = {t.name: settings.topic(t.name) for t in (PANES, SCORES, RISK, REJECTS, REKEYED)}

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
                record.arrival.value,
                ((ORIGIN, f"{record.topic}|{partition}|{record.arrival.offset}".encode()),),
            )
            for record in records
        ]

    def panes(self, changed: Iterable[tuple[PaneKey, int, PanePartial]], intake: PartitionState) -> list[Output]:
        """Partials, each in the partition of its cell, and what is gathered of them in that of the score."""
        cells = intake.dimensions.cells
        return [
            output
            for key, number, partial in changed
            for output in self._panes(key, cells[number], partial, intake.partition)
        ]

    def closed_panes(self, closed: Iterable[tuple[PaneKey, int]], intake: PartitionState) -> list[Output]:
        """Deletions of panes that no live window can contain."""
        cells = intake.dimensions.cells
        topic, partition = self._topics[PANES.name], intake.partition
        return [
            Output(topic, self._home(of[0], cells[number]), _pane_key(of, cells[number], partition), None)
            for key, number in closed
            for of in (key, *comparison_keys(key, cells[number].cut))
        ]

    def watermarks(self, intake: PartitionState) -> list[Output]:
        """How far this source partition has got, to every partition of stage 2."""
        records = []
        for label, mark in intake.watermarks.items():
            if label in DERIVED_LABELS:
                continue
            time = None if mark == NO_WATERMARK_MS else to_datetime(mark)
            applied = intake.progress[label.partition("/")[0]].applied
            watermark = Watermark(topic=label, partition=intake.partition, offset=applied, time=time)
            key, value = f"watermark|{label}|{intake.partition}".encode(), _encode(watermark)
            records += [Output(self._topics[PANES.name], p, key, value) for p in range(self._partitions)]
        return records

    def risks(self, drained: Iterable[AssessmentChange], partition: int) -> list[Output]:
        """Churn risks, each in its customer's partition; a deletion where a customer is forgotten."""
        return [
            Output(self._topics[RISK.name], partition, key[1:], _risk(key, assessed, assessment))
            for key, _, assessed, assessment in drained
        ]

    def scores(self, results: Iterable[Score], partition: int) -> list[Output]:
        """Window results, in the partition of their cell."""
        return [Output(self._topics[SCORES.name], partition, score_key(r), _encode(r)) for r in results]

    def _panes(self, key: PaneKey, cell: Cell, partial: PanePartial, partition: int) -> Iterator[Output]:
        accs = by_score(partial.counts)
        yield self._pane(key, cell, partition, partial.version, partial.last, accs)
        for meeting, last, own in comparison_inputs(cell.cut, partial.last, accs):
            of = (label_of(meeting, key[0]), *key[1:])
            yield self._pane(of, cell, partition, partial.version, last, own)

    def _pane(
        self,
        key: PaneKey,
        cell: Cell,
        partition: int,
        version: int,
        last: Mapping[int, int],
        accs: Mapping[int, Counts],
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
        """The partition of stage 2 that takes what was counted under this label: cells that are compared meet."""
        meeting = meeting_of(label)
        return _home(cell.cut, cell.name, self._partitions) if meeting is None else _meeting(meeting, self._partitions)

    def _reject(self, rejected: RejectedRecord, partition: int) -> Output:
        arrival, why = rejected.arrival, rejected.why
        refused = Refused(arrival.offset, arrival.timestamp, arrival.key, arrival.value)
        record = dead_letter(rejected.topic, partition, refused, why)
        return reject_output(self._topics[REJECTS.name], record)


def _risk(key: bytes, assessed: StoredAssessment | None, assessment: Assessment | None) -> bytes | None:
    if assessed is None or assessment is None:
        return None
    record = Risk(
        customer=key[1:].decode(),
        time=to_datetime(assessed.at),
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
def _home(cut: str, cell: str, partitions: int) -> int:
    return partition_of(f"{cut}|{cell}".encode(), partitions)


@lru_cache(maxsize=64)
def _meeting(meeting: str, partitions: int) -> int:
    return partition_of(meeting.encode(), partitions)


def _pane_key(key: PaneKey, cell: Cell, partition: int) -> bytes:
    label, resolution, start = key
    return f"{cell.cut}|{cell.name}|{resolution}|{start}|{label}|{partition}".encode()
