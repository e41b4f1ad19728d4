"""What tests of replays share: answers on their way into the topics, and a replay of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer

from streams import app
from streams.core.stage1.partitioner import partition_of
from streams.replaying.results import Result, read_results
from streams.runtime.replay import TopicCounts, replay
from streams.runtime.replay_extent import ReplayExtent, extent_of
from streams.settings import Settings
from tests.reference.windows import moment_of
from tests.support.brokers import make_settings

NOON = 1_704_110_400_000
"""2024-01-01 12:00 UTC in milliseconds."""

Answer = Mapping[str, Any]


def answer(number: int, time: int, score: int, **fields: Any) -> dict[str, Any]:
    """One answer to an NPS question, of one of 50 customers at one of three touchpoints."""
    event = {"event_id": f"e{number}", "record_id": f"r{number}", "time": moment_of(time), "survey": "s", "kind": "nps"}
    place = {"customer": f"c{number % 50}", "touchpoint": ("checkout", "delivery", "support")[number % 3]}
    return event | place | {"score": score} | fields


def replay_of(brokers: str, **sections: dict[str, Any]) -> Settings:
    """Settings of a replay that no other test has."""
    app_section = {"id": make_settings(brokers).app.id, "mode": "replay"}
    windows = {"lengths": ["1h", "24h", "7d"], "cuts": ["total", "touchpoint"]} | sections.pop("windows", {})
    kafka = {"partitions": 2, "session_timeout": 6} | sections.pop("kafka", {})
    return make_settings(brokers, app=app_section, windows=windows, kafka=kafka, **sections)


async def send(
    brokers: str,
    answers: Iterable[Answer],
    topic: str = "cx.surveys.v1",
    partition: int | None = None,
    transactional_id: str | None = None,
    partitions: int = 2,
) -> None:
    """Send to the customers' partitions, or all to one; in one transaction where an id is given."""
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all", transactional_id=transactional_id)
    await producer.start()
    try:
        if transactional_id:
            await producer.begin_transaction()
        for event in answers:
            key = event["customer"].encode()
            home = partition_of(key, partitions) if partition is None else partition
            await producer.send_and_wait(topic, json.dumps(event).encode(), key=key, partition=home)
        if transactional_id:
            await producer.commit_transaction()
    finally:
        await producer.stop()


async def replayed(
    settings: Settings, extent: ReplayExtent | None = None
) -> tuple[dict[str, TopicCounts], list[Result]]:
    """Replay what is there, or `extent`; what became of the records, and the results."""
    counted = await replay(partial(app.streams, settings), extent or await extent_of(settings), lambda applied: None)
    return counted, await read_results(settings)


def rows(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The results as decoded from their JSON."""
    return [json.loads(result.raw) for result in results]
