"""Every metric is declared once, is listed, and is exported as it is declared."""

import pytest
from prometheus_client import CollectorRegistry

from streams.runtime import metric_catalogue
from streams.runtime.collectors import register_collectors
from streams.runtime.metric_catalogue import MetricFamily, Worker, families
from streams.runtime.sink_worker import SinkMetrics
from streams.runtime.telemetry import Telemetry
from tests.runtime.test_telemetry import ModelInUse


def test_every_declared_metric_is_listed_once() -> None:
    declared = [value for value in vars(metric_catalogue).values() if isinstance(value, MetricFamily)]
    assert families() == declared
    assert len({family.name for family in families()}) == len(declared)


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_names_follow_the_conventions_of_prometheus(family: MetricFamily) -> None:
    assert family.name.startswith("cxstream_")
    assert family.name.endswith("_total") == (family.kind == "counter")
    if family.kind == "histogram":
        assert family.name.endswith(("_seconds", "_bytes"))
    assert bool(family.buckets) == (family.kind == "histogram")
    assert family.help
    assert not family.help.endswith(".")


def declared(worker: Worker) -> dict[str, tuple[str, str]]:
    """Type and help of each metric of a worker, by the name that the client library uses."""
    return {f.name.removesuffix("_total"): (f.kind, f.help) for f in families() if worker in f.workers}


def exported(registry: CollectorRegistry) -> dict[str, tuple[str, str]]:
    return {metric.name: (metric.type, metric.documentation) for metric in registry.collect()}


def test_the_streams_worker_exports_what_is_declared_for_it() -> None:
    telemetry = Telemetry(CollectorRegistry())
    register_collectors(telemetry)
    telemetry.model = ModelInUse()
    assert exported(telemetry.registry) == declared("streams")


def test_the_sink_worker_exports_what_is_declared_for_it() -> None:
    registry = CollectorRegistry()
    SinkMetrics(registry)
    assert exported(registry) == declared("sinks")
