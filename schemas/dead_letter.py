"""The reject of a record that could not be accepted or stored."""

import base64
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from schemas.decoding import Invalid
from schemas.reject import Reject

PAYLOAD_CAP = 64 * 1024
"""Bytes of a refused payload that its reject carries."""

_DETAIL_CAP = 1_000
_KEY_CAP = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2299, 12, 31, 23, 59, 59, tzinfo=UTC)


class Refused(NamedTuple):
    """The refused record as it lies in its partition; `timestamp` in milliseconds."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def dead_letter(topic: str, partition: int, record: Refused, why: Invalid) -> Reject:
    """Build the reject; its time is the broker's, so that the same record gives the same reject again.

    >>> dead_letter("cx.calls.v1", 0, Refused(7, 0, None, b"x"), Invalid("not_json", "", "no JSON")).payload
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
        time=_time(record.timestamp),
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
    return value[:PAYLOAD_CAP].decode(errors="ignore")  # drops the character that the cap cuts through


def _time(timestamp_ms: int) -> datetime:
    try:
        return min(max(_EPOCH + timedelta(milliseconds=timestamp_ms), _EPOCH), _LAST)
    except OverflowError:
        return _LAST if timestamp_ms > 0 else _EPOCH
