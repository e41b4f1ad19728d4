"""The bounded buffer between `add` and `flush`."""

import threading
from collections.abc import Sequence

from sinks.breaker import Breaker
from sinks.errors import SinkUnavailable
from sinks.sink import SinkRecord

_RETRY_S = 0.1

RecordsOfPartition = tuple[str, int, list[SinkRecord]]
"""Topic, partition and records in the order they were added."""


class RecordBuffer:
    """Records that were added and not taken, and the number of records that are not stored.

    One thread may `add` while another takes and counts.
    """

    def __init__(self, address: str, limit: int, breaker: Breaker) -> None:
        self._address, self._limit, self._breaker = address, limit, breaker
        self._added: list[tuple[str, int, Sequence[SinkRecord]]] = []
        self._pending = 0
        self._lock = threading.Lock()

    @property
    def pending(self) -> int:
        """Records that are not stored, including those that were taken."""
        return self._pending

    def add(self, topic: str, partition: int, records: Sequence[SinkRecord]) -> None:
        """Keep records; raises `SinkUnavailable`, keeping none of them, when as many as `limit` are pending."""
        if self._pending >= self._limit:
            raise SinkUnavailable(
                f"{self._address}: {self._pending} records are waiting to be stored",
                self._breaker.remaining_s or _RETRY_S,
            )
        with self._lock:
            self._added.append((topic, partition, records))
            self._pending += len(records)

    def take(self) -> list[RecordsOfPartition]:
        """Everything that was added, joined by partition. It stays pending until it is counted as `stored`."""
        with self._lock:
            added, self._added = self._added, []
        joined: dict[tuple[str, int], list[SinkRecord]] = {}
        for topic, partition, records in added:
            joined.setdefault((topic, partition), []).extend(records)
        return [(topic, partition, records) for (topic, partition), records in joined.items()]

    def stored(self, records: int) -> None:
        """Count taken records as no longer pending, whether they were stored or left out."""
        with self._lock:
            self._pending -= records
