"""What a worker notes about its work: the partitions it owns, how far they are, and how long each stage takes.

`collectors` exports it to Prometheus.
"""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from faust.types import TP
from prometheus_client import CollectorRegistry

from schemas.catalogue import PANES
from schemas.score import Score
from streams.core.churn.churn_model import ChurnModel
from streams.core.stage1.partition_state import PartitionState
from streams.runtime import clock, metric_catalogue
from streams.runtime.metric_catalogue import STAGES
from streams.runtime.progress_clock import ProgressClock

Stage = Literal[1, 2]
StagePartition = tuple[Stage, int]
"""A stage and the number of one of its partitions."""


class CellOwner(Protocol):
    """The owner of a partition of cells, as far as telemetry reads it.

    `latest` holds the newest result of each window. `published_offset` is the offset of the last partial whose
    windows are published, and `published_partials` how many such partials there were.
    """

    latest: dict[bytes, Score]
    published_offset: int
    published_partials: int


class ModelInUse(Protocol):
    """The churn model in use, and how many changes of its file were refused."""

    model: ChurnModel
    refused: int


class Telemetry:
    """The notes of one worker. Topics are named as in the catalogue, without the prefix they have on the broker.

    `high_watermarks` returns where the logs of the assigned partitions end, and `model` is the churn model in use;
    the worker sets both. `now_s` is a clock that never goes back, `now_ms` the wall clock.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        now_s: Callable[[], float] = clock.monotonic,
        now_ms: Callable[[], int] = clock.now_ms,
    ) -> None:
        self.registry = registry
        self.high_watermarks: Callable[[], Mapping[TP, int]] = dict
        self.model: ModelInUse | None = None
        self._now_s = now_s
        self._now_ms = now_ms
        self._latency = metric_catalogue.STAGE_LATENCY.histogram(registry)
        self._checkpoint_bytes = metric_catalogue.CHECKPOINT_BYTES.histogram(registry)
        self._checkpoint_seconds = metric_catalogue.CHECKPOINT_SECONDS.histogram(registry)
        for stage in STAGES:
            self._latency.labels(stage)  # so that each is exported before its first observation
        self._stage1: dict[int, PartitionState] = {}
        self._stage2: dict[int, CellOwner] = {}
        self._newest_ms: dict[TP, int] = {}
        self._progress: dict[StagePartition, ProgressClock] = {}

    @property
    def stage1(self) -> Mapping[int, PartitionState]:
        """The states of the source partitions that this worker owns."""
        return self._stage1

    @property
    def stage2(self) -> Mapping[int, CellOwner]:
        """The owners of the partitions of cells that this worker owns."""
        return self._stage2

    def own_stage1(self, partition: int, state: PartitionState) -> None:
        """Report this source partition from now on."""
        self._progress[1, partition] = ProgressClock(self._now_s)
        self._stage1[partition] = state

    def disown_stage1(self, partition: int) -> None:
        """Report this source partition no longer: another worker does."""
        self._stage1.pop(partition, None)
        self._forget(1, partition)

    def own_stage2(self, partition: int, owner: CellOwner) -> None:
        """Report the cells of this partition from now on."""
        self._progress[2, partition] = ProgressClock(self._now_s)
        self._stage2[partition] = owner

    def disown_stage2(self, partition: int) -> None:
        """Report the cells of this partition no longer: another worker does."""
        self._stage2.pop(partition, None)
        self._forget(2, partition)

    def chunk_taken(self, topic: str, partition: int, newest_ms: int) -> None:
        """A chunk is being applied whose newest record arrived at the broker at `newest_ms`."""
        self._note_newest(TP(topic, partition), newest_ms)
        self.observe_stage("arrival", self._seconds_since(newest_ms))

    def checkpoint_written(
        self, partition: int, size_bytes: int, duration_s: float, applied_at_s: float | None
    ) -> None:
        """A checkpoint is durable; its oldest change was applied at `applied_at_s`, None if it only moved offsets."""
        self._clock(1, partition).moved()
        self._checkpoint_bytes.observe(size_bytes)
        self._checkpoint_seconds.observe(duration_s)
        if applied_at_s is not None:
            self.observe_stage("checkpoint", self._now_s() - applied_at_s)

    def results_published(self, partition: int) -> None:
        """Some results of this partition of cells are published."""
        self._clock(2, partition).moved()

    def partials_published(self, partition: int, oldest_ms: int | None, newest_ms: int | None) -> None:
        """The results of the partials that arrived from `oldest_ms` to `newest_ms` are published.

        `oldest_ms` is None if no result followed. Both are None if only the offsets moved.
        """
        self.results_published(partition)
        if oldest_ms is not None:
            self.observe_stage("windows", self._seconds_since(oldest_ms))
        if newest_ms is not None:
            self._note_newest(TP(PANES.name, partition), newest_ms)

    def observe_stage(self, stage: str, duration_s: float) -> None:
        """A record or checkpoint spent this long in one of `STAGES`."""
        self._latency.labels(stage).observe(duration_s)

    def lag(self) -> dict[TP, int]:
        """How many records wait in each partition that is owned here."""
        ends = self.high_watermarks()
        done = {tp: self._processed_offset(tp) for tp in ends}
        return {tp: max(0, ends[tp] - 1 - offset) for tp, offset in done.items() if offset is not None}

    def lag_s(self, tp: TP) -> float:
        """Seconds since the newest record applied here arrived; before the first, since no record was waiting."""
        newest_ms = self._newest_ms.get(tp)
        return self._clock(_stage_of(tp), tp.partition).still_s if newest_ms is None else self._seconds_since(newest_ms)

    def watch(self) -> None:
        """Note which partitions have input waiting; called every second or so, because rest is no stall."""
        waiting = self._waiting()
        for stage_partition, progress in self._progress.items():
            progress.watch(stage_partition in waiting)

    def stalled(self, limit_s: float) -> list[StagePartition]:
        """The partitions in which input waits and nothing has moved for more than `limit_s` seconds."""
        return sorted(waiting for waiting in self._waiting() if self._clock(*waiting).still_s > limit_s)

    def _waiting(self) -> set[StagePartition]:
        return {(_stage_of(tp), tp.partition) for tp, records in self.lag().items() if records}

    def _processed_offset(self, tp: TP) -> int | None:
        if _stage_of(tp) == 1:
            return self._stage1[tp.partition].applied(tp.topic) if tp.partition in self._stage1 else None
        return self._stage2[tp.partition].published_offset if tp.partition in self._stage2 else None

    def _clock(self, stage: Stage, partition: int) -> ProgressClock:
        return self._progress.setdefault((stage, partition), ProgressClock(self._now_s))

    def _note_newest(self, tp: TP, newest_ms: int) -> None:
        self._newest_ms[tp] = max(newest_ms, self._newest_ms.get(tp, 0))

    def _seconds_since(self, time_ms: int) -> float:
        return max(0, self._now_ms() - time_ms) / 1000

    def _forget(self, stage: Stage, partition: int) -> None:
        for tp in [tp for tp in self._newest_ms if (_stage_of(tp), tp.partition) == (stage, partition)]:
            del self._newest_ms[tp]


def _stage_of(tp: TP) -> Stage:
    return 2 if tp.topic == PANES.name else 1
