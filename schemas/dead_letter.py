"""Builds the reject of a record that could not be accepted or stored."""

import base64
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from schemas.decoding import Invalid
from schemas.reject import Reject

PAYLOAD_CAP = 64 * 1024
"""A reject carries at most so many bytes of the refused payload."""

_DETAIL_CAP = 1_000
_KEY_CAP = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2299, 12, 31, 23, 59, 59, tzinfo=UTC)


class RefusedRecord(NamedTuple):
    """The refused record as it was read from its partition."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


def dead_letter(topic: str, partition: int, record: RefusedRecord, why: Invalid) -> Reject:
    """The reject of a record. Its time is that of the broker, so the same record always gives the same reject.

    >>> dead_letter("cx.calls.v1", 0, RefusedRecord(7, 0, None, b"x"), Invalid("not_json", "", "no JSON")).payload
    'x'
    """
    value = record.value or b""
    text = _text(value)
    return Reject(
        topic=topic,
        partition=partition,
        offset=record.offset,
        reason=why.reason,
        field=why.field,
        detail=why.detail[:_DETAIL_CAP],
        time=_time(record.timestamp_ms),
        key=(record.key or b"")[:_KEY_CAP].decode(errors="replace"),
        payload=base64.b64encode(value[:PAYLOAD_CAP]).decode() if text is None else text,
        encoding="base64" if text is None else "utf-8",
        size=len(value),
        truncated=len(value) > PAYLOAD_CAP,
    )


def _text(value: bytes) -> str | None:
    try:
        value.decode()
    except UnicodeDecodeError:
        return None
    return value[:PAYLOAD_CAP].decode(errors="ignore")  # drops a character that the cap cuts in two


def _time(timestamp_ms: int) -> datetime:
    try:
        return min(max(_EPOCH + timedelta(milliseconds=timestamp_ms), _EPOCH), _LAST)
    except OverflowError:
        return _LAST if timestamp_ms > 0 else _EPOCH
