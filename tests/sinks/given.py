"""Records for sink tests."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.score import Score
from schemas.survey import Survey
from sinks.sink import SinkRecord

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp()) * 1000


def record(offset: int, value: msgspec.Struct | bytes | None, timestamp_ms: int = NOON_MS) -> SinkRecord:
    payload = msgspec.json.encode(value) if isinstance(value, msgspec.Struct) else value
    return SinkRecord(offset, timestamp_ms, b"c-1", payload)


def survey(number: int, **changes: Any) -> Survey:
    fields: dict[str, Any] = {
        "event_id": f"e-{number}",
        "record_id": f"r-{number}",
        "time": NOON,
        "survey": "after-call",
        "kind": "nps",
        "score": number % 11,
    }
    return Survey(**{**fields, **changes})


def surveys(begin: int, end: int) -> list[SinkRecord]:
    return [record(offset, survey(offset)) for offset in range(begin, end)]


def score(**changes: Any) -> Score:
    fields: dict[str, Any] = {
        "score": "nps",
        "cut": "total",
        "cell": "all",
        "window": "1h",
        "start": NOON.replace(hour=11),
        "end": NOON,
        "value": 50.0,
        "lower": 10.0,
        "upper": 80.0,
        "n": 10,
        "unit": "points",
        "counts": {"promoters": 5},
        "revision": 10,
        "final": False,
        "last_event": NOON.replace(hour=11, minute=59),
        "owner": "Ana",
    }
    return Score(**{**fields, **changes})
