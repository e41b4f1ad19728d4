"""What every sink is: `add` buffers, `flush` stores, `close` lets go."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from schemas.reject import Reject


class SinkRecord(NamedTuple):
    """One record of a topic as the broker has it; `timestamp_ms` since 1970 UTC, `value` None is a tombstone."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


class Sink(Protocol):
    """A place where results go.

    Acknowledge the records of an `add` only after a `flush` that *began after it* has returned. `inserts` rises
    with everything that has been stored: a long `flush` in which it does not is stuck.
    """

    inserts: int

    def warm(self) -> None:
        """Connect and check the tables, before the first record; blocking. Raises `SinkError`."""

    def add(self, topic: str, partition: int, records: Sequence[SinkRecord]) -> None:
        """Buffer records, without I/O; `topic` is the catalogue's name, without a prefix.

        Raises `SinkUnavailable` when the buffer is full; then none of these records was taken.
        """

    def flush(self) -> list[Reject]:
        """Store all that was added, blocking; returns what can never be stored.

        Raises `SinkUnavailable`, keeping everything, when it should be called again later, and
        `SinkError` when only a person can help.
        """

    def close(self) -> None:
        """Let go of the connection; what was added and not flushed is forgotten. May be called twice."""
