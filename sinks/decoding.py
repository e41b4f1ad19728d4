"""Decodes records for sinks, and says which of those that cannot be decoded become rejects."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from schemas.catalogue import topic as topic_named
from schemas.decoding import EventDecoder, Invalid
from schemas.envelope import Envelope
from sinks.errors import SinkError
from sinks.sink import PUBLIC_TOPICS, SinkRecord


class RecordDecoder:
    """Decodes the records of one topic; built once per topic. Raises `SinkError` for a topic that is not public."""

    def __init__(self, topic: str) -> None:
        if topic not in PUBLIC_TOPICS:
            raise SinkError(f"{topic}: not a topic that is stored; a sink takes {', '.join(PUBLIC_TOPICS)}")
        self.topic = topic_named(topic)
        self._events: EventDecoder[Envelope] | None = None
        if self.topic.role == "source":
            self._events = EventDecoder(self.topic.record)
        self._derived: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self.topic.record)

    def decode(self, records: Sequence[SinkRecord]) -> Iterator[tuple[SinkRecord, Any]]:
        """Each record to be stored with its struct, or with an `Invalid` that is to become a reject.

        Left out are tombstones, and events that break their contract: stage 1 publishes the rejects of those.
        """
        for record, decoded in zip(records, self._structs(records), strict=True):
            left_out = decoded is None or (isinstance(decoded, Invalid) and decoded.reason != "not_storable")
            if not left_out:
                yield record, decoded

    def _structs(self, records: Sequence[SinkRecord]) -> Sequence[Any]:
        if self._events is not None:
            return self._events.many([record.value for record in records])
        return [self._derived_record(record.value) for record in records]

    def _derived_record(self, value: bytes | None) -> Any:
        if value is None:
            return None
        try:
            return self._derived.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return Invalid("not_storable", "", f"not a record of {self.topic.name}: {error}")
