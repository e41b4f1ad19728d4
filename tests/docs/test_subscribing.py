"""The clients of docs/subscribing.md, taken from that page, print what a worker published."""

import json
import queue
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaProducer

from schemas.catalogue import RISK, SCORES
from streams.local.embedded_broker import with_parent_death_signal
from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.docs.commands import ROOT
from tests.faults.agreement import now_ms, settled
from tests.faults.processes import Worker
from tests.faults.readback import latest, read
from tests.faults.traffic import CUTS, WINDOWS, Traffic, send
from tests.support import loud
from tests.support.apache_kafka import KafkaCluster
from tests.support.brokers import delete_all_topics, make_settings
from tests.support.jars import Unavailable, kafka_jars

pytestmark = [pytest.mark.timeout(240)]

PAGE = ROOT / "docs" / "subscribing.md"
WITHIN_S = 60.0
COMPLETE = "--"
PARTITIONS = 2


def program(language: str) -> str:
    """The one program in this language on the page."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


def python_command(folder: Path) -> list[str]:
    source = folder / "latest.py"
    source.write_text(program("python"))
    return [sys.executable, str(source)]


def java_command(folder: Path) -> list[str]:
    """How to run the Java client; skips loudly where there is no compiler or no client library."""
    java = shutil.which("java")
    if not java or not shutil.which("javac"):
        loud.skip("the Java client: javac is missing; install a Java 17 JDK")
    try:
        jars = kafka_jars()
    except Unavailable as missing:
        loud.skip(f"the Java client: {missing}")
    source = folder / "Latest.java"
    source.write_text(program("java"))
    return [java, "-cp", f"{jars}/*", str(source)]


COMMANDS = {"python": python_command, "java": java_command}


class Change(NamedTuple):
    """One line of a client: a key with its value, None where it was deleted."""

    key: str
    value: Any


class Client:
    """A running client and the lines it prints."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(with_parent_death_signal(command), stdout=subprocess.PIPE, text=True)
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def table(self) -> dict[str, Any]:
        """Everything up to the line that says that the table is complete."""
        found: dict[str, Any] = {}
        while (line := self._next()) != COMPLETE:
            change = _change(line)
            assert change.key not in found, f"{change.key} is printed twice"
            found[change.key] = change.value
        return found

    def change(self) -> Change:
        """The next change after the table."""
        return _change(self._next())

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _next(self) -> str:
        line = self._lines.get(timeout=WITHIN_S)
        assert line is not None, f"the client ended with {self._process.wait()}"
        return line

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)


def _change(line: str) -> Change:
    key, _, value = line.partition("\t")
    return Change(key, None if value == "deleted" else json.loads(value))


@pytest.fixture(scope="module")
def published(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Results of some hundred records, published by a worker that has ended."""
    delete_all_topics(kafka.address)
    settings = make_settings(
        kafka.address,
        kafka={"partitions": PARTITIONS, "session_timeout": 6},
        windows={"lengths": WINDOWS, "cuts": CUTS},
    )
    create_topics(settings)
    traffic = Traffic(1, now_ms(), PARTITIONS)
    worker = Worker("streams", settings, tmp_path_factory.mktemp("worker"))
    try:
        for records in (traffic.first(), traffic.take(300)):
            send(settings.kafka.brokers, records)
            settled(lambda: [worker], settings)
        assert worker.stop() == 0
    finally:
        worker.kill()
    return settings


@pytest.fixture(params=COMMANDS)
def client(request: pytest.FixtureRequest, published: Settings, tmp_path: Path) -> Iterator[Any]:
    """Starts the client of one language on a topic of the catalogue."""
    running: list[Client] = []

    def follow(topic: str) -> Client:
        command = COMMANDS[request.param](tmp_path)
        running.append(Client([*command, published.kafka.brokers, published.topic(topic)]))
        return running[-1]

    yield follow
    for one in running:
        one.close()


async def write(settings: Settings, topic: str, key: str, value: dict[str, Any] | None, *, commit: bool) -> None:
    """One record, in a transaction that is committed or aborted, in the partition where its key is."""
    [partition] = {r.partition for r in read(settings, topic) if r.key == key.encode()}
    payload = None if value is None else json.dumps(value).encode()
    identity = f"{settings.app.id}-another"
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka.brokers, transactional_id=identity) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(settings.topic(topic), payload, key.encode(), partition)
        await (producer.commit_transaction() if commit else producer.abort_transaction())


def table_of(settings: Settings, topic: str) -> dict[str, Any]:
    return {key.decode(): value for key, value in latest(read(settings, topic)).items()}


@pytest.mark.kafka
async def test_it_prints_the_newest_committed_value_of_each_key_and_then_every_change(
    published: Settings, client: Any
) -> None:
    scores = table_of(published, SCORES.name)
    assert len(read(published, SCORES.name)) > len(scores) > 100, "no key has two revisions"
    key, newest = next(iter(scores.items()))
    await write(published, SCORES.name, key, newest | {"value": -1.0}, commit=False)
    following = client(SCORES.name)
    assert following.table() == scores
    corrected = newest | {"revision": newest["revision"] + 1}
    await write(published, SCORES.name, key, newest | {"value": -2.0}, commit=False)
    await write(published, SCORES.name, key, corrected, commit=True)
    assert following.change() == Change(key, corrected)


@pytest.mark.kafka
async def test_a_customer_that_was_deleted_is_not_in_the_table(published: Settings, client: Any) -> None:
    risks = table_of(published, RISK.name)
    gone, still = list(risks)[:2]
    await write(published, RISK.name, gone, None, commit=True)
    following = client(RISK.name)
    assert following.table() == {key: value for key, value in risks.items() if key != gone}
    await write(published, RISK.name, still, None, commit=True)
    assert following.change() == Change(still, None)
