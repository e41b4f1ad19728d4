"""Brokers and settings for every test, and the guard that keeps unmarked tests off the network."""

import socket
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from streams.local.embedded_broker import EmbeddedBroker
from tests.support import brokers, loud
from tests.support.apache_kafka import KafkaCluster
from tests.support.jars import Unavailable

# A busy machine is no bug, and a run says the same twice: `--hypothesis-profile=wide` looks further afield.
_PATIENT = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("same", derandomize=True, **_PATIENT)  # type: ignore[arg-type]
hypothesis.settings.register_profile("wide", max_examples=1_000, **_PATIENT)  # type: ignore[arg-type]
hypothesis.settings.load_profile("same")

NETWORK_MARKS = ("broker", "kafka", "io", "faults")
FIXTURE_MARKS = {
    "embedded_broker": "broker",
    "fresh_broker": "broker",
    "kafka": "kafka",
    "fresh_kafka": "kafka",
    "kafka3": "kafka",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for a broker has that broker's mark."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in FIXTURE_MARKS:
                item.add_marker(FIXTURE_MARKS[fixture])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason, tests in loud.reasons(terminalreporter).items():
        terminalreporter.write_line(f"WARNING: {tests} tests did not run: {reason}", yellow=True, bold=True)


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if any(request.node.get_closest_marker(mark) for mark in NETWORK_MARKS):
        return

    def refuse(connection: socket.socket, address: Any) -> None:
        pytest.fail(f"connects to {address} without one of the marks {', '.join(NETWORK_MARKS)}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """One Tansu for the whole session: other tests' topics are there too."""
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def fresh_broker() -> Iterator[EmbeddedBroker]:
    """A Tansu of the test's own, empty."""
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaCluster]:
    """One node of Apache Kafka for the whole session: other tests' topics are there too."""
    yield from _cluster(1)


@pytest.fixture(scope="session")
def kafka3() -> Iterator[KafkaCluster]:
    """Three nodes of Apache Kafka; topics are replicated thrice, two must be in sync."""
    yield from _cluster(3)


@pytest.fixture
def fresh_kafka(kafka: KafkaCluster) -> KafkaCluster:
    """The session's one node, with all topics deleted."""
    brokers.delete_all_topics(kafka.address)
    return kafka


@pytest.fixture(
    params=[
        pytest.param("fresh_broker", marks=pytest.mark.broker, id="embedded"),
        pytest.param("fresh_kafka", marks=pytest.mark.kafka, id="kafka"),
    ]
)
def any_broker(request: pytest.FixtureRequest) -> str:
    """The address of an empty broker: the test runs on the embedded one and on Apache Kafka."""
    broker: EmbeddedBroker | KafkaCluster = request.getfixturevalue(request.param)
    return broker.address


@pytest.fixture
def make_settings() -> brokers.MakeSettings:
    """See `tests.support.brokers.make_settings`."""
    return brokers.make_settings


def _cluster(nodes: int) -> Iterator[KafkaCluster]:
    try:
        cluster = KafkaCluster(nodes)
    except Unavailable as missing:
        loud.skip(f"Apache Kafka: {missing}")
    with cluster:
        yield cluster
