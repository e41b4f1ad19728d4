"""A replay beside a live deployment: settings, derived topics and a group of its own, which end with it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import kafka.errors
import msgspec
from kafka.admin import ConfigResource

from schemas.catalogue import SCORES, SOURCE_TOPICS, TOPICS
from streams.errors import BrokerError, ConfigError
from streams.runtime.topics import admin, create_topics, verify_topics
from streams.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}")
_NEVER_COMPACTED = {"min.compaction.lag.ms": str(30 * 86_400_000)}


def replay_settings(settings: Settings, name: str) -> Settings:
    """The settings of a replay called `name` beside the deployment with `settings`.

    Raises `ConfigError` for a name that cannot be part of a topic's name.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"--name: {name!r} cannot be part of a topic's name; use letters, digits, . _ and -")
    replace = msgspec.structs.replace
    return replace(
        settings,
        app=replace(settings.app, id=f"{settings.app.id}-replay-{name}", mode="replay"),
        kafka=replace(settings.kafka, prefix=f"{settings.kafka.prefix}replay-{name}."),
        metrics=replace(settings.metrics, streams_port=0),
    )


def require_source_topics(settings: Settings) -> None:
    """Raise `BrokerError` where a source topic is missing: a replay creates none."""
    with admin(settings) as client:
        existing = client.list_topics()
    missing = [topic.name for topic in SOURCE_TOPICS if topic.name not in existing]
    if missing:
        raise BrokerError(
            f"the broker at {settings.kafka.brokers} lacks {', '.join(missing)}: create with `cxstream topics`"
        )


@contextmanager
def own_topics(settings: Settings, keep: bool) -> Iterator[None]:
    """Create the derived topics of a replay and, unless `keep`, delete them at the end.

    Raises `ConfigError` where a replay of this name was kept, `BrokerError` where the broker refuses.
    """
    with admin(settings) as client:
        existing = set(derived_topics(settings)).intersection(client.list_topics())
    if existing:
        raise ConfigError(
            f"--name: a replay of this name was kept ({', '.join(sorted(existing))}); choose another name, "
            "or delete these topics"
        )
    try:
        create_topics(settings)
        verify_topics(settings)
        _prevent_compaction(settings)
        yield
    finally:
        if not keep:
            _delete(settings)


def derived_topics(settings: Settings) -> list[str]:
    """The names of all topics that a replay writes."""
    return [settings.topic(topic.name) for topic in TOPICS if topic not in SOURCE_TOPICS]


def _delete(settings: Settings) -> None:
    with admin(settings) as client:
        client.delete_topics(derived_topics(settings), raise_errors=False)
        with suppress(kafka.errors.KafkaError):  # the broker expires a group without members by itself
            client.delete_groups([settings.group("streams")])


def _prevent_compaction(settings: Settings) -> None:
    """Compaction would keep one result of each cell and window; a replay prints one for each boundary."""
    with admin(settings) as client, suppress(ValueError):  # a broker that does not know the setting never compacts
        client.alter_configs([ConfigResource("TOPIC", settings.topic(SCORES.name), _NEVER_COMPACTED)])
