"""The line of a record: its address, then the record as it was received."""

from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from sinks.ndjson.segments import Line
from sinks.sink import SinkRecord

_LINE = b'{"topic":"%s","partition":%d,"offset":%d,"arrived_at":"%s.%03dZ","record":%s}'
_LAST_MS = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) * 1000 + 999


def encode(topic: str, partition: int, record: SinkRecord) -> Line:
    r"""The line of a record whose value is valid JSON. The same record gives the same line, in every version.

    `arrived_at` is the broker's timestamp; one outside of the years 1970 to 9999 becomes the nearest in them.

    >>> encode("cx.surveys.v1", 0, SinkRecord(7, 1500, None, b'{"score": 9,\n "program": null}')).text
    b'{"topic":"cx.surveys.v1","partition":0,"offset":7,"arrived_at":"1970-01-01T00:00:01.500Z","record":{"score":9,"program":null}}'
    """
    seconds, ms = divmod(min(max(record.timestamp_ms, 0), _LAST_MS), 1000)
    address = (topic.encode(), partition, record.offset, _second(seconds), ms)
    return Line(record.offset, _LINE % (*address, _on_one_line(record.value or b"null")))


@lru_cache
def _second(seconds: int) -> bytes:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


def _on_one_line(value: bytes) -> bytes:
    try:
        value.decode()
    except UnicodeDecodeError:  # decoding a record does not look into the text of fields it does not know
        value = value.decode(errors="replace").encode()
    if b"\n" in value or b"\r" in value:
        return msgspec.json.format(value, indent=-1)
    return value.strip()
