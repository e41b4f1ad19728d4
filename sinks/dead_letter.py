"""The reject of a record that a sink cannot store."""

from schemas.dead_letter import RefusedRecord, dead_letter
from schemas.decoding import Invalid
from schemas.reject import Reject
from sinks.sink import SinkRecord


def not_storable(topic: str, partition: int, record: SinkRecord, field: str, detail: str) -> Reject:
    """Build the reject, with the record's address and the reason in `detail`."""
    return dead_letter(topic, partition, RefusedRecord(*record), Invalid("not_storable", field, detail))
