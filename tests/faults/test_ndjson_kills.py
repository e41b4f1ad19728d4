"""Killed at every fail-point, the NDJSON sink has every record of every topic in its files, each once."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import SOURCE_TOPICS
from sinks.sink import PUBLIC_TOPICS
from streams.local.embedded_broker import EmbeddedBroker
from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.faults.agreement import now_ms, settled, storable_events, wait_stored
from tests.faults.conftest import Start
from tests.faults.processes import until
from tests.faults.readback import read
from tests.faults.traffic import Traffic, portions, send
from tests.support.apache_kafka import KafkaCluster

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

POINTS = ("before insert", "after insert", "after ack")
EVENTS = 3_000


@pytest.fixture
def on(fault_settings: Callable[..., Settings], tmp_path: Path) -> Callable[[str], Settings]:
    def build(broker: str) -> Settings:
        sinks = {"urls": [f"ndjson://{tmp_path / 'out'}"], "flush_rows": 200, "flush_seconds": 0.2}
        settings = fault_settings(broker, clickhouse={"url": ""}, sinks=sinks)
        create_topics(settings)
        return settings

    return build


@pytest.mark.broker
def test_one_worker_that_is_killed_again_and_again(
    fresh_broker: EmbeddedBroker, on: Callable[[str], Settings], start: Start, seed: int, tmp_path: Path
) -> None:
    settings = on(fresh_broker.address)
    streams, traffic = start("streams", settings), Traffic(seed, now_ms(), settings.kafka.partitions)
    send(settings.kafka.brokers, traffic.first())
    for number, piece in enumerate(portions(traffic.take(EVENTS), EVENTS // 6)):
        send(settings.kafka.brokers, piece)
        sink = start("sinks", settings, fault=(POINTS[number % len(POINTS)], 1 + number // len(POINTS)))
        assert sink.wait(60) == -signal.SIGKILL, sink.last_words
    sink = start("sinks", settings)
    settled(lambda: [streams], settings)
    wait_stored(sink, settings, role="sinks-ndjson")
    assert (sink.stop(), streams.stop()) == (0, 0)
    check_files(settings, tmp_path / "out")


@pytest.mark.kafka
def test_two_workers_that_share_a_folder_and_take_over_from_each_other(
    fresh_kafka: KafkaCluster, on: Callable[[str], Settings], start: Start, seed: int, tmp_path: Path
) -> None:
    settings = on(fresh_kafka.address)
    streams, traffic = start("streams", settings), Traffic(seed, now_ms(), settings.kafka.partitions)
    send(settings.kafka.brokers, traffic.first())
    sinks = [start("sinks", settings), start("sinks", settings)]
    for number, piece in enumerate(portions(traffic.take(EVENTS), EVENTS // 4)):
        send(settings.kafka.brokers, piece)
        until("something is stored", lambda: sum(s.total("cxstream_sink_inserted_total") for s in sinks), 60)
        stopped = sinks.pop(0)
        stopped.kill() if number % 2 else stopped.stop()
        sinks.append(start("sinks", settings))
    settled(lambda: [streams], settings)
    wait_stored(sinks[1], settings, role="sinks-ndjson")
    assert [worker.stop() for worker in (*sinks, streams)] == [0, 0, 0]
    check_files(settings, tmp_path / "out")


def check_files(settings: Settings, folder: Path) -> None:
    """The files hold every record that can be stored, as it is in its topic, each once."""
    names = {topic.name for topic in SOURCE_TOPICS}
    storable = storable_events(settings)
    expected = {
        (r.topic, r.partition, r.offset): json.loads(r.value)
        for r in read(settings, *PUBLIC_TOPICS)
        if r.value is not None and (r.topic not in names or (r.topic, r.partition, r.offset) in storable)
    }
    lines: list[dict[str, Any]] = [
        json.loads(line) for path in folder.rglob("*.ndjson") for line in path.read_bytes().splitlines()
    ]
    stored = {(line["topic"], line["partition"], line["offset"]): line["record"] for line in lines}
    assert len(lines) == len(stored), "a record is there twice"
    assert stored == expected
