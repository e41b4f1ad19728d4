"""A record is one line of valid JSON: its address, and the record as it was received."""

import json

import msgspec
import pytest

from sinks.ndjson.line import encode
from sinks.sink import SinkRecord
from tests.sinks.given import NOON_MS, record, survey


def test_a_line_holds_the_address_and_the_record() -> None:
    line = encode("cx.surveys.v1", 3, record(12, survey(12), NOON_MS + 5))
    assert line.offset == 12
    assert json.loads(line.text) == {
        "topic": "cx.surveys.v1",
        "partition": 3,
        "offset": 12,
        "arrived_at": "2026-03-01T12:00:00.005Z",
        "record": json.loads(msgspec.json.encode(survey(12))),
    }


@pytest.mark.parametrize(
    "value",
    [
        b'{\n  "n": 123456789012345678901234567890,\r\n  "unknown": [1e-3, "a\\nb"]\n}\n',
        b' {"n": 123456789012345678901234567890, "unknown": [1e-3, "a\\nb"]} ',
        b'{"n":123456789012345678901234567890,"unknown":[1e-3,"a\\nb"]}',
    ],
)
def test_fields_and_numbers_stay_as_they_were_sent_and_line_ends_between_them_do_not(value: bytes) -> None:
    text = encode("cx.surveys.v1", 0, record(0, value)).text
    assert b"\n" not in text
    assert b"\r" not in text
    assert json.loads(text)["record"] == json.loads(value)
    assert b"123456789012345678901234567890" in text
    assert b"1e-3" in text


def test_bytes_that_are_not_utf_8_are_replaced() -> None:
    text = encode("cx.surveys.v1", 0, record(0, b'{"unknown":"\xff"}')).text
    assert json.loads(text.decode())["record"] == {"unknown": "�"}


@pytest.mark.parametrize(
    ("timestamp_ms", "arrived_at"),
    [(-1, "1970-01-01T00:00:00.000Z"), (2**62, "9999-12-31T23:59:59.999Z"), (999, "1970-01-01T00:00:00.999Z")],
)
def test_a_broker_time_outside_the_calendar_becomes_the_nearest_in_it(timestamp_ms: int, arrived_at: str) -> None:
    line = encode("cx.surveys.v1", 0, SinkRecord(0, timestamp_ms, None, b"{}"))
    assert json.loads(line.text)["arrived_at"] == arrived_at
