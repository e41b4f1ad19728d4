"""What tests share about brokers: settings of their own, and a clean slate on a shared broker."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from kafka.admin import KafkaAdminClient

from streams.settings import Settings

MakeSettings = Callable[..., Settings]
"""The type of the fixture `make_settings`."""


def make_settings(brokers: str = "127.0.0.1:1", **sections: dict[str, Any]) -> Settings:
    """Settings with an application id and a topic prefix that no other test has, and free metrics ports.

    Each section is given as a dict and overrides the default: `make_settings(broker, kafka={"partitions": 2})`.
    """
    unique = uuid.uuid4().hex[:8]
    defaults: dict[str, dict[str, Any]] = {
        "app": {"id": f"test-{unique}"},
        "kafka": {"brokers": brokers, "prefix": f"{unique}."},
        "metrics": {"streams_port": 0, "sinks_port": 0},
    }
    raw = {name: defaults.get(name, {}) | sections.get(name, {}) for name in defaults.keys() | sections.keys()}
    return msgspec.convert(raw, Settings)


def delete_all_topics(brokers: str, within: float = 30.0) -> None:
    """Leave the broker without any topic but its own; raises `TimeoutError`."""
    deadline = time.monotonic() + within
    with KafkaAdminClient(bootstrap_servers=brokers.split(",")) as client:
        while names := [name for name in client.list_topics() if not name.startswith("__")]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{brokers} still has {names} after {within:g} s")
            client.delete_topics(names, raise_errors=False)
            time.sleep(0.05)
