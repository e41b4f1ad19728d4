"""What the tests of docs/operations.md share: deployments on one broker, and workers that take what there is."""

from collections.abc import Callable
from typing import Any

import msgspec
from kafka.admin import KafkaAdminClient

from streams.settings import Settings
from tests.faults.agreement import now_ms, settled
from tests.faults.processes import Worker, until
from tests.faults.readback import Expected, published
from tests.faults.traffic import CUTS, WINDOWS, Traffic, send
from tests.support.brokers import make_settings

Start = Callable[..., Worker]
"""Starts a worker with these settings: the streams, or the part named."""


def settings_of(brokers: str, partitions: int, **sections: dict[str, Any]) -> Settings:
    return make_settings(
        brokers,
        kafka={"partitions": partitions, "session_timeout": 6},
        windows={"lengths": WINDOWS, "cuts": CUTS},
        **sections,
    )


def changed(settings: Settings, **sections: dict[str, Any]) -> Settings:
    """The same settings but for these."""
    raw: dict[str, dict[str, Any]] = msgspec.to_builtins(settings)
    return msgspec.convert({name: raw[name] | sections.get(name, {}) for name in raw}, Settings)


def anew(settings: Settings, name: str, **sections: dict[str, Any]) -> Settings:
    """A deployment beside the old one: another `app.id` and another `kafka.prefix`."""
    kafka = {"prefix": f"{settings.kafka.prefix}{name}."} | sections.pop("kafka", {})
    return changed(settings, app={"id": f"{settings.app.id}-{name}"}, kafka=kafka, **sections)


def send_some(settings: Settings, seed: int, records: int = 150) -> None:
    traffic = Traffic(seed, now_ms(), settings.kafka.partitions)
    send(settings.kafka.brokers, [*traffic.first(), *traffic.take(records)])


def run_until_settled(start: Start, settings: Settings) -> Expected:
    """A worker reads everything there is, agrees with the oracle about every window, and ends in order."""
    worker = start(settings)
    expected = settled(lambda: [worker], settings)
    assert worker.stop() == 0
    return expected


def n_of_windows(settings: Settings) -> dict[tuple[str, ...], int]:
    """How much each published window counts, without the empty ones.

    Changes of a customer's risk band are left out: how many are seen depends on which records came in one step.
    """
    names = ("score", "cut", "cell", "window")
    rows = [row for row in published(settings) if row["n"] and row["score"] not in ("newly_at_risk", "recovered")]
    return {tuple(row[name] for name in names): row["n"] for row in rows}


def delete_topic(settings: Settings, catalogue_name: str) -> None:
    name = settings.topic(catalogue_name)
    with KafkaAdminClient(bootstrap_servers=settings.kafka.brokers) as client:
        client.delete_topics([name])
        until(f"{name} is gone", lambda: name not in client.list_topics(), 30)
