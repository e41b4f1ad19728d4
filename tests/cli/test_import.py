"""`cxstream import` against a broker: the events that arrive, their order, the output and the exit code."""

import asyncio
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from kafka.partitioner.default import murmur2

from streams.errors import BrokerError
from streams.importing.mapping_files import load_mapping
from streams.importing.run import run_import
from streams.local.embedded_broker import EmbeddedBroker
from streams.runtime.topics import create_topics
from tests.integration.real_input import readers
from tests.support.apache_kafka import KafkaCluster
from tests.support.brokers import make_settings
from tests.support.no_progress import NoProgress

MAPPING = """
topic = "cx.surveys.v1"
[fields]
record_id = "id"
time = "at"
customer = "who"
survey = { value = "web" }
kind = { value = "csat" }
scale = { value = "1-5" }
score = "stars"
"""
HEADER = "id,at,who,stars\n"
Message = tuple[int, bytes | None, dict[str, Any]]


def export(folder: Path, rows: str) -> tuple[Path, Path]:
    (folder / "mine.toml").write_text(MAPPING)
    (folder / "export.csv").write_text(HEADER + rows)
    return folder / "mine.toml", folder / "export.csv"


def row(number: int) -> str:
    return f"{number},2024-05-01T10:{(number * 7) % 60:02}:00Z,c{number % 10},{number % 5 + 1}\n"


def cxstream(broker: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "streams.cli.main", *map(str, arguments)],
        env=os.environ | {"CXSTREAM_KAFKA_BROKERS": broker},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def messages(broker: str, topic: str, count: int) -> list[Message]:
    """The first `count` messages of a topic, partition by partition; fails when they do not come, or more do."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, partition) for partition in range(4)])
        found: list[Message] = []
        async with asyncio.timeout(30):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += [(r.partition, r.key, json.loads(r.value)) for r in records]
            assert not await consumer.getmany(timeout_ms=500)
        return found
    finally:
        await consumer.stop()


def test_every_row_arrives_once_in_its_customers_partition_in_order_of_time(
    tmp_path: Path, fresh_broker: EmbeddedBroker
) -> None:
    mapping, file = export(tmp_path, "".join(map(row, range(5_000))))
    create_topics(make_settings(fresh_broker.address))
    done = cxstream(fresh_broker.address, "import", mapping, file)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("mine → cx.surveys.v1: 5,000 rows read, 5,000 sent, 0 rejected, 0 dropped")
    arrived = asyncio.run(messages(fresh_broker.address, "cx.surveys.v1", 5_000))
    assert {event["record_id"] for _, _, event in arrived} == {str(number) for number in range(5_000)}
    times = defaultdict(list)
    for partition, key, event in arrived:
        assert key == event["customer"].encode()
        assert partition == (murmur2(key) & 0x7FFFFFFF) % 4
        times[partition].append(event["time"])
    assert all(of_partition == sorted(of_partition) for of_partition in times.values())


def test_the_same_file_imported_twice_gives_the_same_events(tmp_path: Path, fresh_broker: EmbeddedBroker) -> None:
    mapping, file = export(tmp_path, "".join(map(row, range(100))))
    create_topics(make_settings(fresh_broker.address))
    for _ in range(2):
        assert cxstream(fresh_broker.address, "import", mapping, file).returncode == 0
    arrived = asyncio.run(messages(fresh_broker.address, "cx.surveys.v1", 200))
    copies = defaultdict(list)
    for _, _, event in arrived:
        copies[event["event_id"]].append(event)
    assert len(copies) == 100
    assert all(first == second for first, second in copies.values())


def test_rejected_rows_are_reported_and_the_rest_is_sent_unless_strict(
    tmp_path: Path, fresh_broker: EmbeddedBroker
) -> None:
    mapping, file = export(tmp_path, row(1) + "2,2024-05-01T10:00:00Z,ann,6\n" + row(3))
    create_topics(make_settings(fresh_broker.address))
    strict = cxstream(fresh_broker.address, "import", "--strict", mapping, file)
    assert strict.returncode == 1
    assert "3 rows read, 0 sent, 1 rejected" in strict.stderr
    assert "rejected 1: out_of_range\n    export.csv:3: score: csat takes 1 to 5, got 6" in strict.stderr
    assert "nothing was sent, because of --strict" in strict.stderr
    lenient = cxstream(fresh_broker.address, "import", mapping, file)
    assert lenient.returncode == 0
    assert "3 rows read, 2 sent, 1 rejected" in lenient.stderr
    arrived = asyncio.run(messages(fresh_broker.address, "cx.surveys.v1", 2))
    assert {event["record_id"] for _, _, event in arrived} == {"1", "3"}


def test_a_missing_topic_is_one_line_with_the_command_that_creates_it(
    tmp_path: Path, fresh_broker: EmbeddedBroker
) -> None:
    done = cxstream(fresh_broker.address, "import", *export(tmp_path, row(1)))
    assert done.returncode == 2
    assert done.stderr == (
        f"cxstream: the broker at {fresh_broker.address} lacks cx.surveys.v1: create with `cxstream topics`\n"
    )


@pytest.mark.io
@pytest.mark.parametrize(
    ("mapping", "file", "message"),
    [
        ("servicenov", "export.csv", "servicenov: no such mapping"),
        ("mine.toml", "gone.csv", "gone.csv: No such file or directory"),
        ("servicenow", "export.csv", "has no column 'number'"),
        ("mine.toml", "export.csv", "no broker at 127.0.0.1:1"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(tmp_path: Path, mapping: str, file: str, message: str) -> None:
    export(tmp_path, row(1))
    own = tmp_path / mapping if mapping.endswith(".toml") else mapping
    done = cxstream("127.0.0.1:1", "import", own, tmp_path / file)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.startswith("cxstream: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.faults
def test_a_broker_that_dies_while_sending_fails_the_import(tmp_path: Path) -> None:
    mapping, file = export(tmp_path, "".join(map(row, range(20_000))))
    with EmbeddedBroker() as broker:
        settings = make_settings(broker.address)
        create_topics(settings)

        class KillingProgress(NoProgress):
            def step(self, activity: str, rows: int, fraction: float, rows_per_s: float) -> None:
                if activity == "sending":
                    broker.stop()

        with pytest.raises(BrokerError, match="did not take every event"):
            asyncio.run(run_import(load_mapping(mapping), [file], settings, KillingProgress()))


def test_apache_kafka_accepts_the_import_of_an_idempotent_producer(tmp_path: Path, fresh_kafka: KafkaCluster) -> None:
    mapping, file = export(tmp_path, "".join(map(row, range(5_000))))
    settings = make_settings(fresh_kafka.address)
    create_topics(settings)
    summary = asyncio.run(run_import(load_mapping(mapping), [file], settings, NoProgress()))
    assert summary.sent == 5_000
    arrived = asyncio.run(messages(fresh_kafka.address, "cx.surveys.v1", 5_000))
    assert {event["record_id"] for _, _, event in arrived} == {str(number) for number in range(5_000)}


def test_the_real_answers_arrive_as_an_independent_reader_finds_them(fresh_broker: EmbeddedBroker) -> None:
    create_topics(make_settings(fresh_broker.address))
    done = cxstream(fresh_broker.address, "import", "telco-nps", readers.data(readers.ANSWERS))
    assert "1,482 rows read, 1,460 sent, 22 rejected" in done.stderr
    arrived = asyncio.run(messages(fresh_broker.address, "cx.surveys.v1", 1_460))
    ours = sorted((e["time"], e["customer"], e["touchpoint"], e["score"]) for _, _, e in arrived)
    assert ours == sorted((e["time"], e["customer"], e["touchpoint"], e["score"]) for e in readers.answers())
