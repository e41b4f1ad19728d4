"""What was lost before it was counted, and state that is not ours to continue, end the worker with a reason."""

from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from schemas.catalogue import CHANGELOG, SURVEYS
from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.faults.agreement import check_counters, now_ms, received, settled
from tests.faults.conftest import Start
from tests.faults.processes import Worker, until
from tests.faults.readback import Expected, read
from tests.faults.traffic import Sent, Traffic, send
from tests.support.apache_kafka import KafkaCluster

pytestmark = [pytest.mark.faults, pytest.mark.kafka, pytest.mark.timeout(240)]

LOST = TopicPartition(SURVEYS.name, 0)
EXIT_HOLE, EXIT_FENCED, EXIT_STATE = 3, 4, 5


@pytest.fixture
def settings(fresh_kafka: KafkaCluster, fault_settings: Callable[..., Settings]) -> Settings:
    made = fault_settings(fresh_kafka.address)
    create_topics(made)
    return made


def some(settings: Settings, seed: int, count: int = 300) -> list[Sent]:
    return Traffic(seed, now_ms(), settings.kafka.partitions).take(count)


def run_and_stop(start: Start, settings: Settings, seed: int) -> Expected:
    """A worker counts some input and ends in order."""
    send(settings.kafka.brokers, some(settings, seed))
    worker = start("streams", settings)
    wanted = settled(lambda: [worker], settings)
    assert worker.stop() == 0
    return wanted


def end_of(settings: Settings, tp: TopicPartition) -> int:
    return 1 + max(r.offset for r in read(settings, tp.topic) if r.partition == tp.partition)


def delete_records(settings: Settings, tp: TopicPartition, before: int) -> None:
    with KafkaAdminClient(bootstrap_servers=settings.kafka.brokers) as client:
        client.delete_records({tp: before})


def ended(worker: Worker, code: int, *said: str) -> None:
    """It has ended with this code, and says why in its last line."""
    assert worker.wait(60) == code, worker.last_words
    last = worker.said.splitlines()[-1]
    assert all(words in last for words in said), last
    assert "Traceback" not in worker.said


def test_records_deleted_before_they_were_counted_end_the_worker(settings: Settings, start: Start, seed: int) -> None:
    run_and_stop(start, settings, seed)
    end = end_of(settings, LOST)
    send(settings.kafka.brokers, some(settings, seed + 1))
    delete_records(settings, LOST, end + 5)
    ended(
        start("streams", settings),
        EXIT_HOLE,
        f"{SURVEYS.name}/0: records {end} to {end + 4} are gone",
        "restore the changelog, or set a new app.id and a new kafka.prefix to count what is left",
    )


def test_records_deleted_after_they_were_counted_are_not_missed(settings: Settings, start: Start, seed: int) -> None:
    run_and_stop(start, settings, seed)
    delete_records(settings, LOST, end_of(settings, LOST))
    worker = start("streams", settings)
    worker.wait_ready()
    send(settings.kafka.brokers, some(settings, seed + 1, 50))
    until("350 counted", lambda: received([worker]) >= 350, 30)


def test_a_new_application_starts_with_what_is_left(settings: Settings, start: Start, seed: int) -> None:
    send(settings.kafka.brokers, some(settings, seed))
    delete_records(settings, LOST, 20)
    worker = start("streams", settings)
    check_counters([worker], settled(lambda: [worker], settings))


def test_a_partition_that_was_empty_and_lost_its_first_records_is_a_hole(
    settings: Settings, start: Start, seed: int
) -> None:
    worker = start("streams", settings)
    others = [sent for sent in some(settings, seed) if (sent.topic, sent.partition) != LOST]
    send(settings.kafka.brokers, others)
    until("all counted", lambda: received([worker]) >= len(others), 60)
    worker.stop()
    send(settings.kafka.brokers, [sent for sent in some(settings, seed) if (sent.topic, sent.partition) == LOST])
    delete_records(settings, LOST, 7)
    ended(start("streams", settings), EXIT_HOLE, "records 0 to 6 are gone")


def test_a_changelog_that_was_made_anew_is_a_hole(settings: Settings, start: Start, seed: int) -> None:
    run_and_stop(start, settings, seed)
    name = settings.topic(CHANGELOG.name)
    with KafkaAdminClient(bootstrap_servers=settings.kafka.brokers) as client:
        client.delete_topics([name])
        until("the changelog is gone", lambda: name not in client.list_topics(), 30)
    create_topics(settings)
    ended(start("streams", settings), EXIT_HOLE, "are gone or were acknowledged without being in the state")


def test_a_source_topic_that_was_made_anew_is_a_hole(settings: Settings, start: Start, seed: int) -> None:
    run_and_stop(start, settings, seed)
    with KafkaAdminClient(bootstrap_servers=settings.kafka.brokers) as client:
        client.delete_topics([SURVEYS.name])
        until("the topic is gone", lambda: SURVEYS.name not in client.list_topics(), 30)
    create_topics(settings)
    ended(start("streams", settings), EXIT_HOLE, f"{SURVEYS.name}/", "the topic was recreated")


def test_state_of_other_definitions_is_not_continued(
    settings: Settings, fault_settings: Callable[..., Settings], start: Start, seed: int
) -> None:
    run_and_stop(start, settings, seed)
    same: dict[str, dict[str, Any]] = {"app": {"id": settings.app.id}, "kafka": {"prefix": settings.kafka.prefix}}
    other = fault_settings(settings.kafka.brokers, **same, windows={"cuts": ["total"]})
    ended(
        start("streams", other),
        EXIT_STATE,
        "the state was written with other windows, cuts, lateness",
        "undo that change, or set a new app.id and a new kafka.prefix",
    )


def test_a_damaged_changelog_is_not_continued(settings: Settings, start: Start) -> None:
    changelog = Sent(settings.topic(CHANGELOG.name), 0, b"m", b"\xc1")
    send(settings.kafka.brokers, [changelog])
    ended(
        start("streams", settings),
        EXIT_STATE,
        f"{changelog.topic}/0: record 0 is no state of ours",
        "restore the changelog, or set a new app.id and a new kafka.prefix to build the state anew",
    )


async def test_a_worker_whose_partition_has_a_newer_owner_lets_go(settings: Settings, start: Start, seed: int) -> None:
    worker = start("streams", settings)
    worker.wait_ready()
    identity = f"{settings.app.id}-intake-0"
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka.brokers, transactional_id=identity):
        send(settings.kafka.brokers, some(settings, seed))
        ended(worker, EXIT_FENCED, "partition 0: a newer owner has taken over")
