"""A worker with nothing to do says so; one that cannot go on while input waits says that."""

import time
from collections.abc import Callable

import pytest

from schemas.catalogue import REKEYED
from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.faults.agreement import now_ms, settled
from tests.faults.conftest import Start
from tests.faults.processes import Worker, until
from tests.faults.traffic import Traffic, send
from tests.support.apache_kafka import KafkaCluster

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


def waiting(worker: Worker) -> list[tuple[dict[str, str], float]]:
    return [(labels, value) for _, labels, value in worker.samples("cxstream_lag_records") if value]


@pytest.mark.kafka
def test_the_markers_of_transactions_are_no_input_that_waits(
    fresh_kafka: KafkaCluster, fault_settings: Callable[..., Settings], start: Start, seed: int
) -> None:
    settings = fault_settings(fresh_kafka.address, metrics={"stalled_after": 2})
    create_topics(settings)
    worker = start("streams", settings)
    send(settings.kafka.brokers, Traffic(seed, now_ms(), settings.kafka.partitions).take(500))
    wanted = settled(lambda: [worker], settings)
    assert wanted.rekeyed
    assert {labels["topic"] for _, labels, _ in worker.samples("cxstream_lag_records")} >= {REKEYED.name}
    until("no lag", lambda: not waiting(worker), 10)
    rested = time.monotonic() + 4
    until("twice the bound has passed", lambda: time.monotonic() > rested, 10)
    assert worker.get("/healthz") == (200, "ok\n")
