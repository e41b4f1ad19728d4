"""The topics of the catalogue on a broker: create them, and check that they are as the stream needs them."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import sleep
from typing import Any, Literal

import kafka.errors
from kafka.admin import ConfigResource, KafkaAdminClient

from schemas.catalogue import TOPICS, Topic
from streams.errors import BrokerError
from streams.runtime.clock import monotonic
from streams.runtime.connection import brokers, kafka_python_options, no_broker
from streams.settings import Settings

CONNECT_SECONDS = 5.0
"""How long a broker may take to answer before it counts as absent."""

_BATCH_HEADROOM_BYTES = 64 * 1024
_KAFKA_DEFAULT_MESSAGE_BYTES = 1_048_588
_COMPACTED = {
    "cleanup.policy": "compact",
    # the active segment is never compacted, so small segments keep recovery short
    "segment.bytes": str(64 * 1024 * 1024),
    "min.cleanable.dirty.ratio": "0.2",
}
_EXISTS, _UNKNOWN_TOPIC, _BAD_REPLICATION = 36, 3, 38
_FORBIDDEN = (29, 31)
_COMPLETE_SECONDS = 30.0
_POLL_SECONDS = 0.05


@contextmanager
def admin(settings: Settings) -> Iterator[Any]:
    """A connected `KafkaAdminClient`. Raises `BrokerError` if the broker does not answer or refuses a request."""
    if not any(_listens(server) for server in brokers(settings)):
        raise no_broker(settings)
    try:
        client = KafkaAdminClient(**kafka_python_options(settings, CONNECT_SECONDS))
    except kafka.errors.KafkaError:
        raise no_broker(settings) from None
    try:
        yield client
    except kafka.errors.KafkaError as error:
        raise BrokerError(f"the broker at {settings.kafka.brokers} refused: {error}; see its log") from None
    finally:
        client.close()


def create_topics(settings: Settings) -> list[tuple[str, Literal["created", "exists"]]]:
    """Create the missing topics of the catalogue; returns every topic's name on the broker with what was done.

    Existing topics are left as they are: `verify_topics` checks them. Raises `BrokerError`.
    """
    required = {settings.topic(topic.name): _specification(topic, settings) for topic in TOPICS}
    with admin(settings) as client:
        existing = _partitions(client, required).keys()
        missing = {name: specification for name, specification in required.items() if name not in existing}
        if missing:
            _raise_refusals(client.create_topics(missing, raise_errors=False), settings)
            _wait_until_complete(client, missing)
    return [(name, "created" if name in missing else "exists") for name in required]


def _wait_until_complete(client: Any, created: Mapping[str, Mapping[str, Any]]) -> None:
    """Wait until the broker reports all partitions of the new topics: it may report some of them first."""
    expected = {name: specification["num_partitions"] for name, specification in created.items()}
    deadline = monotonic() + _COMPLETE_SECONDS
    client.wait_for_topics(list(expected))
    while late := _incomplete(client, expected):
        if monotonic() > deadline:
            names = ", ".join(late)
            raise BrokerError(f"{names}: created, but not complete after {_COMPLETE_SECONDS:g} s; see the broker's log")
        sleep(_POLL_SECONDS)


def _incomplete(client: Any, expected: Mapping[str, int]) -> list[str]:
    described = {topic["name"]: topic["partitions"] for topic in client.describe_topics(list(expected))}
    led = {name: sum(one["error_code"] == 0 for one in partitions) for name, partitions in described.items()}
    return [name for name, number in expected.items() if led.get(name) != number]


def verify_topics(settings: Settings) -> dict[str, int]:
    """Check every topic of the catalogue; returns its partition count.

    Raises `BrokerError` for a missing topic, for unequal partition counts (all records of a customer must be in one
    partition number), and for a cleanup policy that would lose state or events.
    """
    names = {settings.topic(topic.name): topic for topic in TOPICS}
    with admin(settings) as client:
        counts = _partitions(client, names)
        missing = [name for name in names if name not in counts]
        if missing:
            raise BrokerError(
                f"the broker at {settings.kafka.brokers} lacks {', '.join(missing)}: create with `cxstream topics`"
            )
        _check_counts(counts, settings)
        for name, policy in _cleanup_policies(client, list(names)).items():
            _check_policy(name, policy, names[name])
    return counts


def _listens(server: str) -> bool:
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _specification(topic: Topic, settings: Settings) -> dict[str, Any]:
    configs = {"message.timestamp.type": "CreateTime"}
    if topic.retention_s is None:
        configs |= _COMPACTED
    else:
        configs |= {"cleanup.policy": "delete", "retention.ms": str(topic.retention_s * 1000)}
    if topic.role != "source":
        largest = max(_KAFKA_DEFAULT_MESSAGE_BYTES, settings.kafka.max_batch_bytes + _BATCH_HEADROOM_BYTES)
        configs["max.message.bytes"] = str(largest)
    if settings.kafka.replication > 1:
        configs["min.insync.replicas"] = str(settings.kafka.replication - 1)
    return {
        "num_partitions": settings.kafka.partitions,
        "replication_factor": settings.kafka.replication,
        "configs": configs,
    }


def _raise_refusals(response: Mapping[str, Any], settings: Settings) -> None:
    for topic in response["topics"]:
        code = topic["error_code"]
        if code in (0, _EXISTS):
            continue
        fix = f"see the log of the broker at {settings.kafka.brokers}"
        if code == _BAD_REPLICATION:
            fix = f"lower kafka.replication ({settings.kafka.replication}) or start more brokers"
        elif code in _FORBIDDEN:
            fix = "give this user the right to create topics, or let an administrator run `cxstream topics`"
        reason = topic["error_message"] or kafka.errors.for_code(code).__name__
        raise BrokerError(f"{topic['name']}: cannot be created: {reason.rstrip('.')}: {fix}")


def _partitions(client: Any, names: Mapping[str, object]) -> dict[str, int]:
    described = {topic["name"]: topic for topic in client.describe_topics(list(names))}
    broken = [name for name, topic in described.items() if topic["error_code"] in _FORBIDDEN]
    if broken:
        raise BrokerError(
            f"the broker does not let this user see {', '.join(broken)}: give this user the right to describe "
            "and read these topics"
        )
    return {
        name: len(described[name]["partitions"])
        for name in names
        if name in described and described[name]["error_code"] != _UNKNOWN_TOPIC
    }


def _check_counts(counts: Mapping[str, int], settings: Settings) -> None:
    first, expected = next(iter(counts.items()))
    for name, count in counts.items():
        if count != expected:
            raise BrokerError(
                f"{first} has {expected} partitions, {name} has {count}: all need the same number; "
                "recreate one of them and set kafka.partitions"
            )
    if expected != settings.kafka.partitions:
        raise BrokerError(
            f"{first} and all others have {expected} partitions, but kafka.partitions is "
            f"{settings.kafka.partitions}: set kafka.partitions = {expected}"
        )


def _cleanup_policies(client: Any, names: list[str]) -> dict[str, str]:
    """The policy of each topic; empty if the broker keeps no topic configuration or does not let us read it."""
    try:
        described = client.describe_configs([ConfigResource("TOPIC", name) for name in names], config_filter="all")
    except kafka.errors.AuthorizationError:
        return {}
    topics: dict[str, dict[str, Any]] = described["topic"]
    return {name: configs["cleanup.policy"]["value"] for name, configs in topics.items() if "cleanup.policy" in configs}


def _check_policy(name: str, policy: str, topic: Topic) -> None:
    expected = "compact" if topic.compacted else "delete"
    if policy != expected:
        purpose = "must keep the latest record of each key" if topic.compacted else "must keep every record for a time"
        raise BrokerError(
            f"{name} has cleanup.policy {policy}, but {purpose}: set cleanup.policy={expected} on the topic"
        )
