"""Records as they lie in a source partition, and what becomes of them."""

from typing import NamedTuple, Protocol

import msgspec

from schemas.decoding import Invalid
from streams.core.time.lateness import NO_WATERMARK_MS

RECORD_OUTCOMES = ("accepted", "duplicate", "corrected", "late", "rejected", "rekeyed")
"""The possible outcomes of a received record; every record has exactly one."""


class SourceRecord(Protocol):
    """A record as it lies in a source partition; `timestamp` in ms, -1 where the broker has none."""

    @property
    def offset(self) -> int:
        """Where it lies in its partition."""
        ...

    @property
    def timestamp(self) -> int:
        """When it arrived, in milliseconds."""
        ...

    @property
    def key(self) -> bytes | None:
        """Its message key."""
        ...

    @property
    def value(self) -> bytes | None:
        """Its payload."""
        ...


class RejectedRecord(NamedTuple):
    """A refused record, and the reason."""

    topic: str
    record: SourceRecord
    invalid: Invalid


class RekeyedRecord(NamedTuple):
    """A record that belongs to another partition: its source topic, and its customer's key."""

    topic: str
    record: SourceRecord
    key: bytes


class TopicProgress(msgspec.Struct):
    """How far one topic has been applied, and how many of its records had which outcome.

    `applied` is the offset of the last applied record, -1 for none; `last_event` the newest event time seen (ms).
    """

    applied: int = -1
    received: int = 0
    outcomes: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(RECORD_OUTCOMES, 0))
    reasons: dict[str, int] = msgspec.field(default_factory=dict)
    last_event: int = NO_WATERMARK_MS

    @property
    def difference(self) -> int:
        """Received minus all outcomes: anything but 0 is a bug."""
        return self.received - sum(self.outcomes.values())
