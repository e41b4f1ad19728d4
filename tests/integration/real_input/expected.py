"""What the oracle makes of the three public exports, read by their independent readers."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka.partitioner.default import murmur2

from streams.settings import Settings
from tests.integration.real_input import readers
from tests.reference import Arrival, Oracle
from tests.reference.risk import shipped_risk
from tests.support.stream import config_of


@dataclass(frozen=True)
class Export:
    """A public export: its mapping, its topic, its file, its rows, and those that make an event."""

    mapping: str
    topic: str
    file: str
    rows: int
    sent: int
    read: Callable[[], list[dict[str, Any]]]

    @property
    def path(self) -> Path:
        return readers.data(self.file)


EXPORTS = (
    Export("servicenow", "cx.tickets.v1", readers.TICKETS, 141_712, 141_712, readers.ticket_changes),
    Export("bank-calls", "cx.calls.v1", readers.CALLS, 17_456, 17_313, readers.calls),
    Export("telco-nps", "cx.surveys.v1", readers.ANSWERS, 1_482, 1_460, readers.answers),
)


def oracle_of(settings: Settings, *exports: Export) -> Oracle:
    """The oracle after all events of these exports."""
    oracle = Oracle(config_of(settings), shipped_risk)
    for export in exports:
        oracle.feed(_arrivals(export, settings.kafka.partitions))
    return oracle


def _arrivals(export: Export, partitions: int) -> Iterator[Arrival]:
    now, offsets = time.time_ns() // 1_000_000, Counter[int]()
    events = export.read()
    for event, key in zip(events, readers.keys(events), strict=True):
        partition = (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
        payload = json.dumps({"event_id": event["record_id"], **event}).encode()
        yield Arrival(export.topic, partition, offsets[partition], now, payload, key.encode())
        offsets[partition] += 1
