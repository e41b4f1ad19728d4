"""Brokers and settings for every test, and the guard that keeps unmarked tests free of I/O."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from streams.local.embedded_broker import EmbeddedBroker
from tests.support import brokers, loud
from tests.support.apache_kafka import KafkaCluster
from tests.support.jars import Unavailable

# Deadlines and health checks are off because a busy machine is no failure. Both numbers of examples are derived
# from the code of a test, so a run can be repeated; `--hypothesis-profile=wide` draws other examples each time.
_PATIENT = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("quick", derandomize=True, max_examples=20, **_PATIENT)  # type: ignore[arg-type]
hypothesis.settings.register_profile("full", derandomize=True, max_examples=100, **_PATIENT)  # type: ignore[arg-type]
hypothesis.settings.register_profile("wide", max_examples=1_000, **_PATIENT)  # type: ignore[arg-type]
hypothesis.settings.load_profile("quick")

IO_MARKS = ("broker", "kafka", "io", "faults")
FIXTURE_MARKS = {
    "embedded_broker": "broker",
    "fresh_broker": "broker",
    "kafka": "kafka",
    "fresh_kafka": "kafka",
    "kafka3": "kafka",
    "fresh_kafka3": "kafka",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a test that asks for a broker that broker's mark, and put the files that take longest first.

    Workers of pytest-xdist take files in this order, so none is left alone with a long one at the end.
    """
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in FIXTURE_MARKS:
                item.add_marker(FIXTURE_MARKS[fixture])
    timeouts: dict[Path, float] = {}
    for item in items:
        mark = item.get_closest_marker("timeout")
        timeouts[item.path] = max(timeouts.get(item.path, 0.0), float(mark.args[0]) if mark else 0.0)
    items.sort(key=lambda item: -timeouts[item.path])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason, tests in loud.reasons(terminalreporter).items():
        terminalreporter.write_line(f"WARNING: {tests} tests did not run: {reason}", yellow=True, bold=True)


@pytest.fixture(autouse=True)
def _no_io(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail an unmarked test that connects to an address or starts a program."""
    if any(request.node.get_closest_marker(mark) for mark in IO_MARKS):
        return

    def refuse_connection(connection: socket.socket, address: Any) -> None:
        pytest.fail(f"connects to {address} without one of the marks {', '.join(IO_MARKS)}")

    def refuse_program(process: subprocess.Popen[bytes], command: Any, *args: Any, **options: Any) -> None:
        pytest.fail(f"starts {command} without one of the marks {', '.join(IO_MARKS)}")

    monkeypatch.setattr(socket.socket, "connect", refuse_connection)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse_connection)
    monkeypatch.setattr(subprocess.Popen, "__init__", refuse_program)


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


@pytest.fixture
def fresh_kafka3(kafka3: KafkaCluster) -> KafkaCluster:
    """The session's three nodes, with all topics deleted."""
    brokers.delete_all_topics(kafka3.address)
    return kafka3


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
