"""What Prometheus reads about the scores and the machine: declared once, on an injected registry."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, Protocol

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from schemas.catalogue import PANES
from schemas.score import Score
from streams.core.churn.model import Model
from streams.core.events.sources import to_ms
from streams.core.stage1.outcomes import RECORD_OUTCOMES
from streams.core.stage1.partition_state import PartitionState
from streams.core.time.lateness import NO_WATERMARK_MS
from streams.runtime.clock import monotonic, now_ms

STAGES = ("arrival", "checkpoint", "windows")
"""From arrival at the broker to applied; from applied to durable; from partial to published window. A sink adds
`stored`: from arrival at the broker to stored."""

Stage = Literal["intake", "windows"]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_BYTES = tuple(4.0**n for n in range(5, 14))
_SCORE_LABELS = ("score", "cut", "cell", "window")


class Owned(Protocol):
    """What telemetry needs of the owner of some cells.

    `followed` is the offset of the last partial whose windows are published, `partials` how many there were.
    """

    latest: dict[bytes, Score]
    followed: int
    partials: int


class Modelled(Protocol):
    """What telemetry needs of the churn model in use."""

    model: Model
    refused: int


def stage_latency(registry: CollectorRegistry) -> Histogram:
    """The histogram of the time spent in each stage, in seconds."""
    return Histogram(
        "cxstream_stage_latency_seconds", "Time spent in a stage", ["stage"], registry=registry, buckets=_SECONDS
    )


class Telemetry:
    """Metrics of one worker. Scores and counts are read from what it owns at scrape time."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.high_watermarks: Callable[[], Mapping[tuple[str, int], int]] = dict
        self._stages = stage_latency(registry)
        self._size = Histogram("cxstream_checkpoint_bytes", "Size of a checkpoint", registry=registry, buckets=_BYTES)
        self._time = Histogram(
            "cxstream_checkpoint_seconds", "Time to write a checkpoint", registry=registry, buckets=_SECONDS
        )
        for stage in STAGES:
            self._stages.labels(stage)
        self._intakes: dict[int, PartitionState] = {}
        self._rollups: dict[int, Owned] = {}
        self._newest: dict[tuple[str, int], int] = {}
        self._progressed: dict[tuple[Stage, int], float] = {}
        self.model: Modelled | None = None
        registry.register(_Scores(self._rollups))
        registry.register(_Sources(self))

    @property
    def stage1(self) -> Mapping[int, PartitionState]:
        """The source partitions this worker owns."""
        return self._intakes

    @property
    def stage2(self) -> Mapping[int, Owned]:
        """The partitions of cells this worker owns."""
        return self._rollups

    def behind(self, topic: str, partition: int) -> float:
        """Seconds since the newest record applied here arrived; before any, since the partition was last at rest."""
        newest = self._newest.get((topic, partition))
        if newest is None:
            return monotonic() - self._progressed.get((_stage(topic), partition), monotonic())
        return max(0, now_ms() - newest) / 1000

    def own_stage1(self, partition: int, intake: PartitionState) -> None:
        """Report this source partition from now on."""
        self._progressed["intake", partition] = monotonic()
        self._intakes[partition] = intake

    def disown_stage1(self, partition: int) -> None:
        """Another worker reports it now."""
        self._intakes.pop(partition, None)
        self._forget("intake", partition)

    def own_stage2(self, partition: int, owner: Owned) -> None:
        """Report the cells of this partition from now on."""
        self._progressed["windows", partition] = monotonic()
        self._rollups[partition] = owner

    def disown_stage2(self, partition: int) -> None:
        """Another worker reports them now."""
        self._rollups.pop(partition, None)
        self._forget("windows", partition)

    def _forget(self, stage: Stage, partition: int) -> None:
        gone = [place for place in self._newest if (_stage(place[0]), place[1]) == (stage, partition)]
        for place in gone:
            del self._newest[place]

    def waited(self, topic: str, partition: int, timestamp: int) -> None:
        """A chunk whose newest record arrived at `timestamp` (ms) is being applied."""
        self._applied(topic, partition, timestamp)
        self.stage("arrival", max(0.0, (now_ms() - timestamp) / 1000))

    def moved(self, partition: int) -> None:
        """Some results of this partition of cells are published."""
        self._progressed["windows", partition] = monotonic()

    def followed(self, partition: int, oldest: int | None, newest: int | None) -> None:
        """What followed from partials up to the one that arrived at `newest` (ms) is published.

        `oldest` is when the first of them arrived, None where nothing followed; both are where there were none.
        """
        self.moved(partition)
        if oldest is not None:
            self.stage("windows", max(0.0, (now_ms() - oldest) / 1000))
        if newest is not None:
            self._applied(PANES.name, partition, newest)

    def _applied(self, topic: str, partition: int, timestamp: int) -> None:
        self._newest[topic, partition] = max(timestamp, self._newest.get((topic, partition), 0))

    def checkpointed(self, partition: int, size: int, seconds: float, applied_at: float | None) -> None:
        """A checkpoint of `size` bytes has landed."""
        self._progressed["intake", partition] = monotonic()
        self._size.observe(size)
        self._time.observe(seconds)
        if applied_at is not None:
            self.stage("checkpoint", monotonic() - applied_at)

    def stage(self, stage: str, seconds: float) -> None:
        """Something spent this long in one of `STAGES`."""
        self._stages.labels(stage).observe(seconds)

    def lag(self) -> dict[tuple[str, int], int]:
        """Records that wait, by topic and partition, for the partitions owned here."""
        ends = self.high_watermarks()
        done = {place: self._done(*place) for place in ends}
        return {place: max(0, ends[place] - 1 - offset) for place, offset in done.items() if offset is not None}

    def _done(self, topic: str, partition: int) -> int | None:
        if topic == PANES.name:
            return self._rollups[partition].followed if partition in self._rollups else None
        return self._intakes[partition].applied(topic) if partition in self._intakes else None

    def watch(self) -> None:
        """Note where nothing waits; called every second or so."""
        waiting = self._waiting()
        self._progressed.update({place: monotonic() for place in self._progressed if place not in waiting})

    def stalled(self, after: float) -> list[tuple[Stage, int]]:
        """The stages and partitions in which input waits and nothing has moved for `after` seconds."""
        return sorted(place for place in self._waiting() if monotonic() - self._progressed[place] > after)

    def _waiting(self) -> set[tuple[Stage, int]]:
        return {(_stage(topic), partition) for (topic, partition), records in self.lag().items() if records}


def _stage(topic: str) -> Stage:
    return "windows" if topic == PANES.name else "intake"


class _Scores:
    """Value, interval, n and age of every window owned here; no value, no sample."""

    def __init__(self, owners: Mapping[int, Owned]) -> None:
        self._owners = owners

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        families = {
            name: GaugeMetricFamily(f"cxstream_score_{name}", text, labels=_SCORE_LABELS)
            for name, text in (
                ("value", "Score of a window"),
                ("lower", "Lower end of its 95 % interval"),
                ("upper", "Upper end of its 95 % interval"),
                ("n", "Answers or customers behind it"),
                ("age_seconds", "Age of the newest event in it"),
            )
        }
        now = now_ms()
        for owner in list(self._owners.values()):
            for score in list(owner.latest.values()):
                labels = (score.score, score.cut, score.cell, score.window)
                families["n"].add_metric(labels, score.n)
                for name in ("value", "lower", "upper"):
                    value = getattr(score, name)
                    if value is not None:
                        families[name].add_metric(labels, value)
                if score.last_event is not None:
                    families["age_seconds"].add_metric(labels, max(0, now - to_ms(score.last_event)) / 1000)
        yield from families.values()


class _Sources:
    """What became of the records of the source partitions owned here, and what waits."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        yield from self._counts()
        yield from self._lags()
        yield from self._state()
        yield from self._model()

    def _counts(self) -> Iterator[Metric]:
        place = ("topic", "partition")
        received = CounterMetricFamily("cxstream_received", "Records received", labels=place)
        outcomes = CounterMetricFamily("cxstream_outcomes", "Records by outcome", labels=(*place, "outcome"))
        rejected = CounterMetricFamily("cxstream_rejected", "Records refused", labels=(*place, "reason"))
        difference = GaugeMetricFamily(
            "cxstream_reconciliation_difference", "Received minus all outcomes; anything but 0 is a bug", labels=place
        )
        for partition, intake in list(self._telemetry.stage1.items()):
            for topic, progress in intake.progress.items():
                labels = (topic, str(partition))
                received.add_metric(labels, progress.received)
                difference.add_metric(labels, progress.difference)
                for outcome in RECORD_OUTCOMES:
                    outcomes.add_metric((*labels, outcome), progress.outcomes[outcome])
                for reason, number in progress.reasons.items():
                    rejected.add_metric((*labels, reason), number)
        yield from (received, outcomes, rejected, difference)

    def _lags(self) -> Iterator[Metric]:
        records = GaugeMetricFamily("cxstream_lag_records", "Records waiting", labels=("topic", "partition"))
        seconds = GaugeMetricFamily(
            "cxstream_lag_seconds", "Age of the newest applied record while others wait", labels=("topic", "partition")
        )
        partials = CounterMetricFamily(
            "cxstream_partials", "Partials whose windows are published", labels=("topic", "partition")
        )
        for partition, owner in list(self._telemetry.stage2.items()):
            partials.add_metric((PANES.name, str(partition)), owner.partials)
        for (topic, partition), lag in self._telemetry.lag().items():
            records.add_metric((topic, str(partition)), lag)
            behind = self._telemetry.behind(topic, partition) if lag else 0.0
            seconds.add_metric((topic, str(partition)), behind)
        yield from (records, seconds, partials)

    def _state(self) -> Iterator[Metric]:
        last = GaugeMetricFamily(
            "cxstream_last_event_timestamp_seconds", "Newest event time accepted", labels=("topic",)
        )
        customers = GaugeMetricFamily("cxstream_customers", "Customers in state", labels=("partition",))
        overflow = CounterMetricFamily(
            "cxstream_ledger_overflow", "Records forgotten early, for a customer had too many", labels=("partition",)
        )
        bounded = CounterMetricFamily(
            "cxstream_cells_overflow", "Cells counted as (other), for there were too many", labels=("partition",)
        )
        newest: dict[str, int] = {}
        for partition, intake in list(self._telemetry.stage1.items()):
            customers.add_metric((str(partition),), len(intake.ledger.customers))
            overflow.add_metric((str(partition),), intake.ledger.overflow)
            bounded.add_metric((str(partition),), intake.dimensions.overflow)
            for topic, progress in intake.progress.items():
                newest[topic] = max(progress.last_event, newest.get(topic, NO_WATERMARK_MS))
        for topic, time in newest.items():
            if time != NO_WATERMARK_MS:
                last.add_metric((topic,), time / 1000)
        yield from (last, customers, overflow, bounded)

    def _model(self) -> Iterator[Metric]:
        used = self._telemetry.model
        if used is not None:
            info = GaugeMetricFamily("cxstream_risk_model_info", "The churn model in use: always 1", labels=("model",))
            info.add_metric((used.model.name,), 1)
            refused = CounterMetricFamily("cxstream_risk_model_refused", "Changes of its file that could not be used")
            refused.add_metric((), used.refused)
            yield from (info, refused)
