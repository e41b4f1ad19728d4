"""Topics are created as the catalogue declares them, and verified before the stream relies on them."""

from collections.abc import Callable
from typing import Any

import pytest
from kafka.admin import ConfigResource, KafkaAdminClient

from schemas.catalogue import TOPICS
from streams.errors import BrokerError
from streams.runtime.topics import create_topics, verify_topics
from streams.settings import Settings
from tests.support.apache_kafka import KafkaCluster
from tests.support.brokers import MakeSettings


def add_topic(settings: Settings, name: str, partitions: int, **configs: str) -> None:
    with KafkaAdminClient(bootstrap_servers=settings.kafka.brokers) as client:
        specification = {"num_partitions": partitions, "replication_factor": 1, "configs": configs}
        client.create_topics({settings.topic(name): specification}, wait_for_metadata=True)


def configs_of(settings: Settings) -> dict[str, dict[str, Any]]:
    names = [settings.topic(topic.name) for topic in TOPICS]
    with KafkaAdminClient(bootstrap_servers=settings.kafka.brokers) as client:
        described = client.describe_configs([ConfigResource("TOPIC", name) for name in names], config_filter="all")
    return {
        name: {key: entry["value"] for key, entry in configs.items()} for name, configs in described["topic"].items()
    }


def test_creating_twice_changes_nothing_the_second_time(any_broker: str, make_settings: MakeSettings) -> None:
    settings = make_settings(any_broker, kafka={"partitions": 3})
    names = [settings.topic(topic.name) for topic in TOPICS]
    assert create_topics(settings) == [(name, "created") for name in names]
    assert create_topics(settings) == [(name, "exists") for name in names]
    assert verify_topics(settings) == dict.fromkeys(names, 3)


def test_only_the_missing_are_created(any_broker: str, make_settings: MakeSettings) -> None:
    settings = make_settings(any_broker)
    add_topic(settings, "cx.surveys.v1", 4)
    outcomes = dict(create_topics(settings))
    assert outcomes.pop("cx.surveys.v1") == "exists"
    assert set(outcomes.values()) == {"created"}


def test_missing_topics_are_named_with_the_command_that_creates_them(
    any_broker: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(any_broker)
    for topic in TOPICS:
        if topic.name not in ("cx.calls.v1", "cx.scores.v1"):
            add_topic(settings, topic.name, 4)
    with pytest.raises(
        BrokerError,
        match=rf"lacks cx\.calls\.v1, {settings.kafka.prefix}cx\.scores\.v1: "
        "create with `cxstream topics`",
    ):
        verify_topics(settings)


def test_unequal_partition_counts_are_refused_naming_both(any_broker: str, make_settings: MakeSettings) -> None:
    settings = make_settings(any_broker)
    add_topic(settings, "cx.surveys.v1", 5)
    create_topics(settings)
    with pytest.raises(BrokerError, match=r"cx\.tickets\.v1 has 4 partitions, cx\.surveys\.v1 has 5: .*same number"):
        verify_topics(settings)


def test_a_count_other_than_configured_names_the_setting(any_broker: str, make_settings: MakeSettings) -> None:
    settings = make_settings(any_broker)
    create_topics(settings)
    other = make_settings(any_broker, kafka={"prefix": settings.kafka.prefix, "partitions": 7})
    with pytest.raises(BrokerError, match=r"have 4 partitions, but kafka\.partitions is 7: set kafka\.partitions = 4"):
        verify_topics(other)


def test_the_broker_keeps_what_the_catalogue_promises(fresh_kafka: KafkaCluster, make_settings: MakeSettings) -> None:
    settings = make_settings(fresh_kafka.address, kafka={"max_batch_bytes": 3_000_000})
    create_topics(settings)
    configs = configs_of(settings)
    for topic in TOPICS:
        actual = configs[settings.topic(topic.name)]
        assert actual["cleanup.policy"] == ("compact" if topic.compacted else "delete")
        assert actual["message.timestamp.type"] == "CreateTime"
        if topic.retention_s is not None:
            assert int(actual["retention.ms"]) == topic.retention_s * 1000
        if topic.role != "source":
            assert int(actual["max.message.bytes"]) >= 3_000_000


@pytest.mark.parametrize(
    ("name", "policy", "what"),
    [
        ("cx.intake-changelog.v1", "delete", "must keep the latest record of each key"),
        ("cx.surveys.v1", "compact", "must keep every record for a time"),
    ],
)
def test_a_cleanup_policy_that_loses_data_is_refused(
    fresh_kafka: KafkaCluster, make_settings: MakeSettings, name: str, policy: str, what: str
) -> None:
    settings = make_settings(fresh_kafka.address)
    add_topic(settings, name, 4, **{"cleanup.policy": policy})
    create_topics(settings)
    with pytest.raises(BrokerError, match=rf"{name} has cleanup\.policy {policy}, but {what}: set cleanup\.policy="):
        verify_topics(settings)


def test_more_replicas_than_nodes_are_refused_naming_the_setting(
    fresh_kafka: KafkaCluster, make_settings: MakeSettings
) -> None:
    settings = make_settings(fresh_kafka.address, kafka={"replication": 3})
    with pytest.raises(BrokerError, match=r"cannot be created: .*lower kafka\.replication \(3\) or start more"):
        create_topics(settings)


@pytest.mark.slow
def test_replicated_topics_need_all_replicas_but_one_in_sync(kafka3: KafkaCluster, make_settings: MakeSettings) -> None:
    settings = make_settings(kafka3.address, kafka={"replication": 3})
    create_topics(settings)
    verify_topics(settings)
    assert {configs["min.insync.replicas"] for configs in configs_of(settings).values()} == {"2"}


@pytest.mark.io
@pytest.mark.parametrize("ask", [create_topics, verify_topics])
def test_a_missing_broker_is_reported_in_one_sentence(
    ask: Callable[[Settings], object], make_settings: MakeSettings
) -> None:
    with pytest.raises(BrokerError, match=r"^no broker at 127\.0\.0\.1:1: start it or set kafka\.brokers$"):
        ask(make_settings("127.0.0.1:1"))
