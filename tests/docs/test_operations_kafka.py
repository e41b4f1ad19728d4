"""What docs/operations.md says about partitions, several workers and a restored database, on Apache Kafka."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.docs.commands import ROOT
from tests.docs.deployments import Start, anew, n_of_windows, run_until_settled, send_some, settings_of
from tests.faults.agreement import check_stored, wait_stored
from tests.faults.processes import until
from tests.faults.readback import Expected
from tests.faults.stored import stored
from tests.faults.test_kills import prepare
from tests.support.apache_kafka import KafkaCluster
from tests.support.jars import kafka_jars

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

PAGE = ROOT / "docs" / "operations.md"
KAFKA_TOOLS = {
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
}


def kafka_commands(section: str) -> list[list[str]]:
    """The commands of Kafka's own tools that a section shows."""
    text = PAGE.read_text()
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert section in titles, f"{section} is not one of {titles}"
    part = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [shlex.split(line) for line in part.splitlines() if line.split(" ")[0] in KAFKA_TOOLS]


def run_as_shown(section: str, settings: Settings) -> None:
    """Run the commands of a section on this broker, with the groups of this application in place of the default's."""
    names = {"broker:9092": settings.kafka.brokers, "cxstream-sinks": settings.group("sinks")}
    commands = kafka_commands(section)
    assert commands
    for tool, *arguments in commands:
        words = [names.get(word, word) for word in arguments]
        java = shutil.which("java") or "java"
        done = subprocess.run(
            [java, "-cp", f"{kafka_jars()}/*", KAFKA_TOOLS[tool], *words],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{tool} {words}: {done.stdout}{done.stderr}"


def store_everything(start: Start, settings: Settings) -> None:
    sink = start(settings, "sinks")
    wait_stored(sink, settings)
    assert sink.stop() == 0


def store_more(start: Start, settings: Settings, seed: int, records: int = 150) -> Expected:
    """Both workers take some further input, and end in order."""
    send_some(settings, seed, records)
    expected = run_until_settled(start, settings)
    store_everything(start, settings)
    return expected


def stored_events(settings: Settings) -> int:
    return len(stored(settings.clickhouse.url)["events"])


def test_a_database_that_was_restored_is_filled_up_once_the_group_of_the_sinks_is_reset(
    fresh_kafka: KafkaCluster, start: Start, tmp_path: Path
) -> None:
    database, backup = tmp_path / "chdb", tmp_path / "backup"
    settings = settings_of(fresh_kafka.address, partitions=2, clickhouse={"url": f"chdb://{database}"})
    prepare(settings)
    shutil.copytree(database, backup, symlinks=True)
    store_more(start, settings, seed=1)
    complete = stored_events(settings)
    shutil.rmtree(database)
    shutil.copytree(backup, database, symlinks=True)
    expected = store_more(start, settings, seed=2, records=30)
    assert 0 < stored_events(settings) < complete, "without the reset the sinks go on where they were"
    run_as_shown("Back up and restore", settings)
    store_everything(start, settings)
    check_stored(settings, expected)


def test_more_partitions_by_a_rebuild_over_the_enlarged_source_topics(fresh_kafka: KafkaCluster, start: Start) -> None:
    old = settings_of(fresh_kafka.address, partitions=4)
    create_topics(old)
    send_some(old, seed=1)
    run_until_settled(start, old)
    before = n_of_windows(old)
    run_as_shown("More partitions", old)
    new = anew(old, "wide", kafka={"partitions": 8})
    create_topics(new)
    run_until_settled(start, new)
    assert n_of_windows(new) == before
    send_some(new, seed=2)
    run_until_settled(start, new)


def test_a_worker_beyond_the_number_of_partitions_waits_until_it_is_needed(
    fresh_kafka: KafkaCluster, start: Start
) -> None:
    settings = settings_of(fresh_kafka.address, partitions=1)
    create_topics(settings)
    first = start(settings)
    first.wait_ready()
    second = start(settings)
    workers = (first, second)
    until("the second listens", lambda: second.get("/healthz")[0] == 200, 60)
    until("one of them is ready", lambda: sorted(w.get("/readyz")[0] for w in workers) == [200, 503], 60)
    [busy] = [worker for worker in workers if worker.get("/readyz")[0] == 200]
    [idle] = [worker for worker in workers if worker is not busy]
    assert idle.get("/readyz") == (503, "no partitions assigned\n")
    assert idle.get("/healthz")[0] == 200
    assert busy.stop() == 0
    idle.wait_ready()
