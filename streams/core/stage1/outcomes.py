"""Records as they lie in a source partition, what becomes of them, and under which labels they are counted."""

from typing import NamedTuple, Protocol

import msgspec

from schemas.catalogue import RISK
from schemas.decoding import Invalid
from streams.core.time.lateness import NO_WATERMARK_MS

RECORD_OUTCOMES = ("accepted", "duplicate", "corrected", "late", "rejected", "rekeyed")
"""What becomes of a received record; every one has exactly one."""

RISK_LABEL = RISK.name
"""Under this label the assessments of customers are counted; it is no source."""

CASES_LABEL = "cases"
"""Under this label what follows from several records of a customer is counted; it is no source either."""

DERIVED_LABELS = (RISK_LABEL, CASES_LABEL)


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
    """A refused record, and why."""

    topic: str
    arrival: SourceRecord
    why: Invalid


class RekeyedRecord(NamedTuple):
    """A record that belongs to another partition: its source, and its customer's key."""

    topic: str
    arrival: SourceRecord
    key: bytes


class TopicProgress(msgspec.Struct):
    """How far one topic has been applied, and what became of its records."""

    applied: int = -1
    received: int = 0
    outcomes: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(RECORD_OUTCOMES, 0))
    reasons: dict[str, int] = msgspec.field(default_factory=dict)
    last_event: int = NO_WATERMARK_MS

    @property
    def difference(self) -> int:
        """Received minus all outcomes: anything but 0 is a bug."""
        return self.received - sum(self.outcomes.values())
