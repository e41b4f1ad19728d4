"""Workers that are stopped, killed, ended and joined at random while input flows: exact in the end, zombies fenced."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.faults.agreement import check_counters, check_prometheus, check_topics, now_ms, settled
from tests.faults.conftest import Start
from tests.faults.processes import Worker, until
from tests.faults.traffic import Traffic, send
from tests.support.apache_kafka import KafkaCluster

SECONDS = float(os.environ.get("CXSTREAM_TEST_CHURN_SECONDS", "30"))
"""How long each kind of churn goes on; minutes of it find more than seconds."""

pytestmark = [pytest.mark.faults, pytest.mark.kafka, pytest.mark.timeout(600 + SECONDS)]

SESSION = 3
REASONS = {0: "ended in order", 4: "fenced", -signal.SIGKILL: "killed", -signal.SIGTERM: "ended before it began"}


class Supervisor:
    """Keeps workers in slots: starts again what has ended, and notes how each ended."""

    def __init__(self, start: Start, settings: Settings, slots: int) -> None:
        self._start, self._settings = start, settings
        self.workers = [self._begin() for _ in range(slots)]
        self.ends: Counter[str] = Counter()

    def mend(self) -> None:
        """Start again what has ended; fails when one ended without a good reason."""
        for slot, worker in enumerate(self.workers):
            if worker.code is not None:
                self._note(worker)
                self.workers[slot] = self._begin()

    def finish(self, slots: int) -> list[Worker]:
        """End all in order, and let `slots` new ones go on."""
        for worker in self.workers:
            worker.signal(signal.SIGCONT)
            worker.stop(60)
            self._note(worker)
        self.workers = [self._begin() for _ in range(slots)]
        return self.workers

    def _begin(self) -> Worker:
        return self._start("streams", self._settings)

    def _note(self, worker: Worker) -> None:
        assert worker.code in REASONS, f"{worker.log.name} ended with {worker.code}: {worker.last_words}"
        self.ends[REASONS[worker.code]] += 1
        if worker.code == -signal.SIGTERM:
            assert not worker.said, worker.last_words
        if worker.code == 4:
            assert "worker ends: partition" in worker.said.splitlines()[-1], worker.last_words


@contextmanager
def flowing(settings: Settings, seed: int) -> Iterator[None]:
    """Input, some hundred records a second, for as long as the block lasts."""
    traffic, over, failures = Traffic(seed, now_ms(), settings.kafka.partitions), threading.Event(), list[Exception]()

    def feed() -> None:
        try:
            while not over.wait(0.5):
                send(settings.kafka.brokers, traffic.take(150))
        except Exception as error:
            failures.append(error)

    send(settings.kafka.brokers, traffic.first())
    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield
    finally:
        over.set()
        feeder.join()
    assert not failures


def exact_in_the_end(supervisor: Supervisor, settings: Settings) -> None:
    workers = supervisor.finish(2)
    wanted = settled(lambda: workers, settings, 120)
    check_counters(workers, wanted)
    check_topics(settings, wanted, exactly_once=True)
    check_prometheus(workers, settings)
    print(f"{wanted.received} records, {dict(supervisor.ends)}")


def test_two_workers_on_three_nodes_stopped_killed_and_ended(
    fresh_kafka3: KafkaCluster, fault_settings: Callable[..., Settings], start: Start, seed: int
) -> None:
    settings = fault_settings(
        fresh_kafka3.address, kafka={"session_timeout": SESSION, "replication": 3, "partitions": 4}
    )
    create_topics(settings)
    dice, supervisor = random.Random(seed), Supervisor(start, settings, 2)
    with flowing(settings, seed):
        over = time.monotonic() + SECONDS
        while time.monotonic() < over:
            pass_time(dice.uniform(2, 6))
            supervisor.mend()
            harm(dice.choice(supervisor.workers), dice)
    exact_in_the_end(supervisor, settings)


def test_workers_that_join_and_leave_faster_than_they_start(
    fresh_kafka: KafkaCluster, fault_settings: Callable[..., Settings], start: Start, seed: int
) -> None:
    settings = fault_settings(fresh_kafka.address, kafka={"session_timeout": SESSION, "partitions": 4})
    create_topics(settings)
    dice, supervisor = random.Random(seed), Supervisor(start, settings, 3)
    leaving: list[Worker] = []
    with flowing(settings, seed):
        over = time.monotonic() + SECONDS
        while time.monotonic() < over:
            pass_time(dice.uniform(0.2, 2))
            supervisor.mend()
            joining = [w for w in supervisor.workers if "BatchThread" in w.said and w not in leaving]
            if joining:
                leaving.append(dice.choice(joining))
                leaving[-1].signal(dice.choice((signal.SIGTERM, signal.SIGTERM, signal.SIGKILL)))
    exact_in_the_end(supervisor, settings)


def harm(worker: Worker, dice: random.Random) -> None:
    """Kill it, end it, or stop it for longer than its session lasts."""
    number = dice.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, signal.SIGSTOP))
    worker.signal(number)
    if number == signal.SIGSTOP:
        pass_time(SESSION + dice.uniform(1, 4))
        worker.signal(signal.SIGCONT)


def pass_time(seconds: float) -> None:
    """What is random here is when things happen."""
    over = time.monotonic() + seconds
    until("time passes", lambda: time.monotonic() > over, seconds + 5)
