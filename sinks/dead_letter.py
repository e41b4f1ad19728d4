"""The reject of a record that the database cannot hold."""

import base64
from datetime import UTC, datetime, timedelta

from schemas.reject import Reject
from sinks.sink import SinkRecord
from sinks.storable import LAST

MAX_PAYLOAD_BYTES = 64 * 1024
"""Of a longer payload, a reject carries only the beginning."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def not_storable(topic: str, partition: int, record: SinkRecord, field: str, detail: str) -> Reject:
    """Build the reject; its time is the broker's, so that the same record gives the same reject again."""
    value = record.value or b""
    text = _text(value)
    return Reject(
        topic=topic,
        partition=partition,
        offset=record.offset,
        reason="not_storable",
        field=field,
        detail=detail,
        time=_time(record.timestamp_ms),
        key=(record.key or b"").decode(errors="replace"),
        payload=base64.b64encode(value[:MAX_PAYLOAD_BYTES]).decode() if text is None else text,
        encoding="base64" if text is None else "utf-8",
        size=len(value),
        truncated=len(value) > MAX_PAYLOAD_BYTES,
    )


def _text(value: bytes) -> str | None:
    try:
        value.decode()
    except UnicodeDecodeError:
        return None
    return value[:MAX_PAYLOAD_BYTES].decode(errors="ignore")  # drops the character that the cap cuts through


def _time(timestamp_ms: int) -> datetime:
    try:
        return min(max(_EPOCH + timedelta(milliseconds=timestamp_ms), _EPOCH), LAST)
    except OverflowError:
        return LAST if timestamp_ms > 0 else _EPOCH
