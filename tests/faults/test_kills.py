"""Killed at every fail-point, again and again: topic, Prometheus, ClickHouse and oracle agree on every window."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.local.embedded_broker import EmbeddedBroker
from streams.runtime.failpoints import POINTS
from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.faults.agreement import (
    check_counters,
    check_prometheus,
    check_stored,
    check_topics,
    now_ms,
    settled,
    wait_stored,
)
from tests.faults.conftest import Start
from tests.faults.processes import ROOT, Worker, environment, until
from tests.faults.traffic import Traffic, portions, send
from tests.support.apache_kafka import KafkaCluster

EVENTS = int(os.environ.get("CXSTREAM_TEST_EVENTS", "12000"))
ROUNDS = int(os.environ.get("CXSTREAM_TEST_ROUNDS", "1"))
OF_BATCHES = ("before checkpoint", "after outputs", "after changelog", "after last outputs", "after ack")
OF_TRANSACTIONS = ("before checkpoint", "after begin", "after outputs", "after changelog", "after commit", "after ack")
OF_SINKS = ("before insert", "after insert", "after ack")

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400 * ROUNDS)]


def test_every_fail_point_is_killed_at() -> None:
    assert {*OF_BATCHES, *OF_TRANSACTIONS, *OF_SINKS} == set(POINTS)


@pytest.mark.broker
def test_exact_on_the_embedded_broker(
    fresh_broker: EmbeddedBroker, fault_settings: Callable[..., Settings], start: Start, seed: int, tmp_path: Path
) -> None:
    settings = fault_settings(fresh_broker.address, clickhouse={"url": f"chdb://{tmp_path / 'chdb'}"})
    exact_after_kills(settings, start, OF_BATCHES * ROUNDS, seed, exactly_once=False)


@pytest.mark.kafka
def test_exact_on_apache_kafka(
    fresh_kafka: KafkaCluster, fault_settings: Callable[..., Settings], start: Start, seed: int, tmp_path: Path
) -> None:
    settings = fault_settings(fresh_kafka.address, clickhouse={"url": f"chdb://{tmp_path / 'chdb'}"})
    exact_after_kills(settings, start, OF_TRANSACTIONS * ROUNDS, seed, exactly_once=True)


def exact_after_kills(settings: Settings, start: Start, points: Sequence[str], seed: int, exactly_once: bool) -> None:
    prepare(settings)
    traffic, dice = Traffic(seed, now_ms(), settings.kafka.partitions), random.Random(seed)
    send(settings.kafka.brokers, traffic.first())
    for number, piece in enumerate(portions(traffic.take(EVENTS), EVENTS // len(points) + 1)):
        send(settings.kafka.brokers, piece)
        killed = start("streams", settings, fault=(points[number], dice.randint(1, 4)))
        sink = start("sinks", settings, fault=(OF_SINKS[number % len(OF_SINKS)], dice.randint(1, 2)))
        was_killed(killed)
        with feeding(start, settings):  # what was killed before it committed may have left nothing to insert
            was_killed(sink)
    worker, sink = start("streams", settings), start("sinks", settings)
    wanted = settled(lambda: [worker], settings)
    check_counters([worker], wanted)
    check_topics(settings, wanted, exactly_once)
    check_prometheus([worker], settings)
    wait_stored(sink, settings)
    assert (worker.stop(), sink.stop()) == (0, 0)
    check_stored(settings, wanted)


@contextmanager
def feeding(start: Start, settings: Settings) -> Iterator[None]:
    """A worker that goes on where the last one was killed, until it is killed as well, somewhere."""
    worker = start("streams", settings)
    yield
    worker.kill()


def prepare(settings: Settings) -> None:
    """Topics and tables, the latter by a process of its own, for chDB allows one folder per process."""
    create_topics(settings)
    subprocess.run(
        [sys.executable, "-m", "streams.cli.main", "migrate"],
        cwd=ROOT,
        env=environment(settings),
        check=True,
        capture_output=True,
        timeout=60,
    )


def was_killed(worker: Worker) -> None:
    """It has passed its point, and not ended otherwise."""
    until(f"{worker.log.name} passes its point", lambda: worker.code is not None, 60)
    assert worker.code == -signal.SIGKILL, f"{worker.log.name} ended with {worker.code}: {worker.last_words}"
