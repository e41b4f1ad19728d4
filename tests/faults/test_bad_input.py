"""Anything can be in a topic: what is wrong becomes a dead letter with its address, and the rest counts."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, KafkaAdminClient

from schemas.catalogue import PANES, REJECTS, REKEYED, SCORES, SOURCE_TOPICS
from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.faults.agreement import check_counters, received, settled
from tests.faults.conftest import Start
from tests.faults.processes import ROOT, until
from tests.faults.readback import latest, read
from tests.reference.contracts import SURVEYS
from tests.support.apache_kafka import KafkaCluster

pytestmark = [pytest.mark.faults, pytest.mark.kafka, pytest.mark.timeout(240)]

CAP = 64 * 1024
Bad = tuple[str, str, bytes | None]
"""Topic, the reason it should be refused for, and the payload."""


def examples(kind: str) -> Iterator[tuple[str, Path]]:
    for topic in SOURCE_TOPICS:
        for path in sorted((ROOT / "schemas" / "examples" / topic.examples / kind).iterdir()):
            yield topic.name, path


def bad_input() -> list[Bad]:
    written: list[Bad] = [
        (topic, path.name.partition("--")[0], path.read_bytes()) for topic, path in examples("invalid")
    ]
    return [
        *written,
        (SURVEYS, "null_value", None),
        (SURVEYS, "too_large", b'{"comment": "%s"}' % (5_000_000 * b"x")),
        (SURVEYS, "too_large", 200_000 * b"[" + 200_000 * b"]"),
        (SURVEYS, "too_large", 5_000_000 * b"["),
        (SURVEYS, "too_deep", 100_000 * b"[" + 100_000 * b"]"),
        (SURVEYS, "too_deep", 200_000 * b"["),
    ]


@pytest.fixture
def settings(fresh_kafka: KafkaCluster, fault_settings: Callable[..., Settings]) -> Settings:
    made = fault_settings(fresh_kafka.address, kafka={"partitions": 1})
    create_topics(made)
    with KafkaAdminClient(bootstrap_servers=fresh_kafka.address) as client:
        client.alter_configs([ConfigResource("TOPIC", SURVEYS, {"max.message.bytes": "8000000"})])
    return made


@pytest.fixture
def producer(settings: Settings) -> Iterator[Any]:
    producer = KafkaProducer(bootstrap_servers=settings.kafka.brokers, acks="all", max_request_size=8_000_000)
    yield producer
    producer.close()


def payload_of(reject: dict[str, Any]) -> bytes:
    text = reject["payload"].encode()
    return base64.b64decode(text) if reject["encoding"] == "base64" else text


def test_every_kind_of_bad_input_amid_good(settings: Settings, start: Start, producer: Any) -> None:
    good = [(topic, path.read_bytes()) for topic, path in examples("valid")]
    wanted: dict[tuple[str, int], Bad] = {}
    for number, (topic, reason, payload) in enumerate(bad_input()):
        producer.send(*good[number % len(good)], key=b"k", partition=0)
        at = producer.send(topic, payload, key=b"k", partition=0).get(30)
        wanted[topic, at.offset] = (topic, reason, payload)
    producer.flush()
    worker = start("streams", settings)
    counted = settled(lambda: [worker], settings)
    check_counters([worker], counted)
    assert counted.outcomes["accepted"]
    letters = {(reject["topic"], reject["offset"]): reject for reject in latest(read(settings, REJECTS.name)).values()}
    found = {place: reject["reason"] for place, reject in letters.items() if reject["reason"] != "future"}
    assert found == {place: reason for place, (_, reason, _) in wanted.items()}
    for place, (_, reason, payload) in wanted.items():
        reject, raw = letters[place], payload or b""
        assert (reject["partition"], reject["size"], reject["truncated"]) == (0, len(raw), len(raw) > CAP), reason
        assert payload_of(reject) == raw[:CAP]
        assert reject["detail"]
    assert worker.code is None


def test_strangers_in_our_own_topics(settings: Settings, start: Start, producer: Any) -> None:
    answer = json.dumps({"event_id": "e", "record_id": "r", "time": "2026-01-01T00:00:00Z", "survey": "s",
                         "kind": "nps", "score": 9}).encode()  # fmt: skip
    strangers = [
        (b"x", None),
        (answer, None),
        (answer, [("cx-origin", b"\xff")]),
        (None, [("cx-origin", b"?|0|1")]),
        (answer, [("cx-origin", b"cx.nowhere.v1|0|1")]),
    ]
    for value, headers in strangers:
        producer.send(settings.topic(REKEYED.name), value, key=b"k", headers=headers, partition=0)
    refused = producer.send(settings.topic(REKEYED.name), b"{", key=b"k", headers=[("cx-origin", b"cx.surveys.v1|0|7")])
    producer.send(settings.topic(PANES.name), b"stranger", key=b"k", partition=0)
    producer.send(settings.topic(SCORES.name), b"stranger", key=b"k", partition=0)
    producer.flush()
    worker = start("streams", settings)
    producer.send(SURVEYS, answer, key=b"r", partition=0)
    until("all is counted", lambda: received([worker]) == 7, 30)
    producer.send(settings.topic(PANES.name), b"{}", key=b"k", partition=0)
    producer.flush()

    def letters() -> set[tuple[str, int, str]]:
        found = latest(read(settings, REJECTS.name)).values()
        return {(reject["topic"], reject["offset"], reject["reason"]) for reject in found}

    wanted = {(REKEYED.name, offset, "wrong_topic") for offset in range(5)}
    wanted |= {(REKEYED.name, refused.get(30).offset, "not_json"), (PANES.name, 0, "wrong_topic")}
    until("every stranger has its dead letter", lambda: len(letters()) >= 8, 30)
    assert wanted < letters()
    assert {topic for topic, _, _ in letters() - wanted} == {PANES.name}
    assert worker.code is None
