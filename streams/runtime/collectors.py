"""What Prometheus reads about the scores and the streams worker: samples made from the state at scrape time."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from schemas.catalogue import PANES
from streams.core.stage1.outcomes import RECORD_OUTCOMES
from streams.core.time.instants import to_ms
from streams.core.time.lateness import NO_WATERMARK_MS
from streams.runtime import metric_catalogue
from streams.runtime.clock import now_ms
from streams.runtime.telemetry import CellOwner, Telemetry


def register_collectors(telemetry: Telemetry) -> None:
    """Export what `telemetry` notes from its registry."""
    for collector in (ScoreCollector(telemetry.stage2), *(kind(telemetry) for kind in _KINDS)):
        telemetry.registry.register(collector)


class ScoreCollector(Collector):
    """Value, interval, n and age of every window owned here. A window without a value has only an n."""

    def __init__(self, owners: Mapping[int, CellOwner]) -> None:
        self._owners = owners

    def describe(self) -> Iterable[Metric]:
        """Names no metric: otherwise the registry would collect all samples when this is registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The samples of now."""
        n, age = metric_catalogue.SCORE_N.at_scrape(), metric_catalogue.SCORE_AGE.at_scrape()
        value, lower, upper = (family.at_scrape() for family in _INTERVAL)
        now = now_ms()
        for owner in list(self._owners.values()):
            for score in list(owner.latest.values()):
                labels = (score.score, score.cut, score.cell, score.window)
                n.add_metric(labels, score.n)
                for family, number in ((value, score.value), (lower, score.lower), (upper, score.upper)):
                    if number is not None:
                        family.add_metric(labels, number)
                if score.last_event is not None:
                    age.add_metric(labels, max(0, now - to_ms(score.last_event)) / 1000)
        yield from (value, lower, upper, n, age)


class _WorkerCollector(Collector):
    """Samples made from telemetry."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def describe(self) -> Iterable[Metric]:
        """Names no metric: otherwise the registry would collect all samples when this is registered."""
        return ()


class OutcomeCollector(_WorkerCollector):
    """What became of the records of the source partitions owned here."""

    def collect(self) -> Iterator[Metric]:
        """The samples of now."""
        received, outcomes = metric_catalogue.RECEIVED.at_scrape(), metric_catalogue.OUTCOMES.at_scrape()
        rejected = metric_catalogue.REJECTED.at_scrape()
        difference = metric_catalogue.RECONCILIATION_DIFFERENCE.at_scrape()
        for partition, state in list(self._telemetry.stage1.items()):
            for topic, progress in state.progress.items():
                labels = (topic, str(partition))
                received.add_metric(labels, progress.received)
                difference.add_metric(labels, progress.difference)
                for outcome in RECORD_OUTCOMES:
                    outcomes.add_metric((*labels, outcome), progress.outcomes[outcome])
                for reason, number in progress.reasons.items():
                    rejected.add_metric((*labels, reason), number)
        yield from (received, outcomes, rejected, difference)


class LagCollector(_WorkerCollector):
    """What waits in the partitions owned here, and how many partials are published."""

    def collect(self) -> Iterator[Metric]:
        """The samples of now."""
        records, seconds = metric_catalogue.LAG_RECORDS.at_scrape(), metric_catalogue.LAG_SECONDS.at_scrape()
        partials = metric_catalogue.PARTIALS.at_scrape()
        for partition, owner in list(self._telemetry.stage2.items()):
            partials.add_metric((PANES.name, str(partition)), owner.published_partials)
        for tp, waiting in self._telemetry.lag().items():
            labels = (tp.topic, str(tp.partition))
            records.add_metric(labels, waiting)
            seconds.add_metric(labels, self._telemetry.lag_s(tp) if waiting else 0.0)
        yield from (records, seconds, partials)


class StateCollector(_WorkerCollector):
    """The size of the state of the source partitions owned here, and the newest events in it."""

    def collect(self) -> Iterator[Metric]:
        """The samples of now."""
        customers = metric_catalogue.CUSTOMERS.at_scrape()
        ledger, cells = metric_catalogue.LEDGER_OVERFLOW.at_scrape(), metric_catalogue.CELLS_OVERFLOW.at_scrape()
        for partition, state in list(self._telemetry.stage1.items()):
            labels = (str(partition),)
            customers.add_metric(labels, len(state.ledger.customers))
            ledger.add_metric(labels, state.ledger.overflow)
            cells.add_metric(labels, state.dimensions.overflow)
        yield from (self._last_events(), customers, ledger, cells)

    def _last_events(self) -> Metric:
        newest_ms: dict[str, int] = {}
        for state in list(self._telemetry.stage1.values()):
            for topic, progress in state.progress.items():
                newest_ms[topic] = max(progress.last_event, newest_ms.get(topic, NO_WATERMARK_MS))
        family = metric_catalogue.LAST_EVENT.at_scrape()
        for topic, time_ms in newest_ms.items():
            if time_ms != NO_WATERMARK_MS:
                family.add_metric((topic,), time_ms / 1000)
        return family


class ModelCollector(_WorkerCollector):
    """The churn model in use; no sample where churn risk is off."""

    def collect(self) -> Iterator[Metric]:
        """The samples of now."""
        used = self._telemetry.model
        if used is None:
            return
        info, refused = metric_catalogue.RISK_MODEL_INFO.at_scrape(), metric_catalogue.RISK_MODEL_REFUSED.at_scrape()
        info.add_metric((used.model.name,), 1)
        refused.add_metric((), used.refused)
        yield from (info, refused)


_INTERVAL = (metric_catalogue.SCORE_VALUE, metric_catalogue.SCORE_LOWER, metric_catalogue.SCORE_UPPER)
_KINDS = (OutcomeCollector, LagCollector, StateCollector, ModelCollector)
