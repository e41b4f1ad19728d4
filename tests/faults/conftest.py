"""Workers that never outlive their test, and brokers that let a dead worker go quickly."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from streams.local.embedded_broker import EmbeddedBroker
from streams.settings import Settings
from tests.faults.processes import Part, Worker
from tests.faults.traffic import CUTS, WINDOWS
from tests.support import loud
from tests.support.apache_kafka import KafkaCluster
from tests.support.brokers import delete_all_topics, make_settings
from tests.support.jars import Unavailable

Start = Callable[..., Worker]
"""Starts a worker: `start(part, settings)`, with `fault` or `command` where wished."""
_QUICK = {"group.min.session.timeout.ms": "500"}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as running:

        def begin(part: Part, settings: Settings, **how: Any) -> Worker:
            worker = Worker(part, settings, tmp_path, **how)
            running.callback(worker.kill)
            return worker

        yield begin


@pytest.fixture
def seed() -> int:
    """`CXSTREAM_TEST_SEED`, or 1; printed, so that a failure can be repeated."""
    number = int(os.environ.get("CXSTREAM_TEST_SEED", "1"))
    print(f"seed {number}")
    return number


@pytest.fixture(scope="session")
def quick_node() -> Iterator[KafkaCluster]:
    """One node of Apache Kafka that allows short session timeouts, with the topics of every test before."""
    yield from _cluster(1)


@pytest.fixture
def quick_kafka(quick_node: KafkaCluster) -> KafkaCluster:
    """The same node without topics: the names of source topics have no prefix, their partitions differ."""
    delete_all_topics(quick_node.address)
    return quick_node


@pytest.fixture(scope="module")
def quick_kafka3() -> Iterator[KafkaCluster]:
    """Three nodes of it."""
    yield from _cluster(3)


@pytest.fixture(params=[pytest.param("fresh_broker", id="embedded"), pytest.param("quick_kafka", id="kafka")])
def broker(request: pytest.FixtureRequest) -> str:
    """The address of a broker: the test runs on the embedded one and on Apache Kafka."""
    running: EmbeddedBroker | KafkaCluster = request.getfixturevalue(request.param)
    return running.address


@pytest.fixture
def fault_settings() -> Callable[..., Settings]:
    """Settings of a worker under fault: three partitions, windows in which nothing moves for half an hour."""

    def build(brokers: str, **sections: dict[str, Any]) -> Settings:
        base: dict[str, dict[str, Any]] = {
            "kafka": {"partitions": 3, "session_timeout": 2},
            "windows": {"lengths": WINDOWS, "cuts": CUTS},
            "clickhouse": {"flush_rows": 1_000, "flush_seconds": 0.3},
        }
        return make_settings(brokers, **{n: base.get(n, {}) | sections.get(n, {}) for n in base | sections})

    return build


def _cluster(nodes: int) -> Iterator[KafkaCluster]:
    try:
        cluster = KafkaCluster(nodes, properties=_QUICK)
    except Unavailable as missing:
        loud.skip(f"Apache Kafka: {missing}")
    with cluster:
        yield cluster
