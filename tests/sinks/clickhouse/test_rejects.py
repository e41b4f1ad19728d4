"""What no table can hold becomes a reject; what others have already rejected does not."""

import base64
import json
from contextlib import closing
from typing import Any

import msgspec
import pytest

from schemas.pane import Pane
from schemas.reject import Reject
from sinks.clickhouse.rows import RowReader
from sinks.clickhouse.sink import ClickHouseSink
from sinks.errors import SinkError
from sinks.sink import SinkRecord
from tests.sinks.conftest import Ask
from tests.sinks.given import NOON, NOON_MS, record, score, survey, surveys


def rejects_of(topic: str, *records: SinkRecord) -> list[Reject]:
    return RowReader(topic).read(3, records)[1]


def text(**changes: Any) -> bytes:
    return json.dumps({**msgspec.to_builtins(survey(1)), **changes}).encode()


@pytest.mark.parametrize(
    "time",
    [
        "1899-12-31T23:59:59.999Z",
        "2300-01-01T00:00:00Z",
        "2299-12-31T23:30:00-02:00",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
    ],
)
@pytest.mark.parametrize("field", ["time", "updated_at"])
def test_a_time_no_column_holds_is_refused_by_name(time: str, field: str) -> None:
    (reject,) = rejects_of("cx.surveys.v1", record(5, text(**{field: time})))
    assert (reject.reason, reject.field, reject.topic, reject.partition, reject.offset) == (
        "not_storable",
        field,
        "cx.surveys.v1",
        3,
        5,
    )
    assert "is not between the years 1900 and 2299" in reject.detail
    assert (reject.time, reject.key, reject.payload) == (NOON, "c-1", text(**{field: time}).decode())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"n": 2**63}, "n"),
        ({"n": 10**30}, "n"),
        ({"revision": -(2**63) - 1}, "revision"),
        ({"counts": {"promoters": 2**63}}, "counts"),
    ],
)
def test_an_integer_wider_than_64_bits_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    value = json.dumps({**msgspec.to_builtins(score()), **changes}).encode()
    (reject,) = rejects_of("cx.scores.v1", record(5, value))
    assert (reject.reason, reject.field) == ("not_storable", field)
    assert "does not fit into 64 bits" in reject.detail


def test_a_nested_integer_wider_than_64_bits_is_refused() -> None:
    pane = Pane(
        cut="total",
        cell="all",
        resolution=10,
        start=NOON,
        topic="cx.calls.v1",
        partition=0,
        version=1,
        last={"nps": NOON},
        counts={"nps": {1: 5}},
    )
    broken = msgspec.json.encode(pane).replace(b'{"1":5}', b'{"1":9223372036854775808}')
    (reject,) = rejects_of("cx.panes.v1", record(5, broken))
    assert (reject.reason, reject.field) == ("not_storable", "counts"), reject.detail


@pytest.mark.parametrize("value", [b"", b"{", b"null", b"[]", b'{"score":"nps"}', b"\xff\xfe", b"[" * 200_000])
def test_a_derived_record_that_cannot_be_read_is_refused(value: bytes) -> None:
    (reject,) = rejects_of("cx.scores.v1", record(5, value))
    assert reject.reason == "not_storable"
    assert reject.detail.startswith("not a record of cx.scores.v1: ")
    assert msgspec.json.decode(msgspec.json.encode(reject), type=Reject) == reject


def test_tombstones_and_events_that_break_their_contract_are_left_out() -> None:
    assert rejects_of("cx.scores.v1", record(5, None)) == []
    bad = (None, b"{", text(score=11), text(time="2026-01-01T00:00:00"), b"[" * 200_000, b" " * 300_000)
    rows, rejects = RowReader("cx.surveys.v1").read(0, [record(i, value) for i, value in enumerate(bad)])
    assert ([*rows.values()], rejects) == ([[]], [])


def test_a_long_payload_is_capped_between_characters() -> None:
    value = b'{"' + "é".encode() * 40_000
    (reject,) = rejects_of("cx.scores.v1", record(5, value))
    assert (reject.size, reject.truncated, reject.encoding) == (len(value), True, "utf-8")
    assert value.startswith(reject.payload.encode())
    assert 64 * 1024 - 1 <= len(reject.payload.encode()) <= 64 * 1024


def test_a_payload_that_is_not_text_comes_as_base64() -> None:
    (reject,) = rejects_of("cx.scores.v1", record(5, b"\xff" * 70_000))
    assert (reject.encoding, reject.truncated) == ("base64", True)
    assert base64.b64decode(reject.payload) == b"\xff" * 64 * 1024


def test_a_broker_time_outside_the_calendar_still_gives_a_reject() -> None:
    for timestamp_ms in (-1, 2**62, -(2**62), NOON_MS):
        (reject,) = rejects_of("cx.scores.v1", SinkRecord(1, timestamp_ms, None, b""))
        assert 1970 <= reject.time.year <= 2299


@pytest.mark.io
@pytest.mark.parametrize("poisoned", [[0, 999], [3, 400, 401, 598], list(range(100, 110))], ids=str)
def test_rows_the_database_refuses_are_isolated_and_all_others_stored(poisoned: list[int], url: str, ask: Ask) -> None:
    ask("ALTER TABLE surveys ADD CONSTRAINT no_poison CHECK comment != 'poison'")
    records = [record(i, survey(i, comment="poison" if i in poisoned else "")) for i in range(1_000)]
    with closing(ClickHouseSink(url, flush_rows=600)) as sink:
        sink.add("cx.surveys.v1", 2, records)
        sink.add("cx.surveys.v1", 3, surveys(0, 10))
        rejects = sink.flush()
        assert sink.flush() == []
    assert [(r.partition, r.offset, r.reason) for r in rejects] == [(2, offset, "not_storable") for offset in poisoned]
    assert all("no_poison" in r.detail and json.loads(r.payload)["comment"] == "poison" for r in rejects)
    stored = ask("SELECT offset FROM surveys WHERE partition = 2 ORDER BY offset")
    assert [offset for (offset,) in stored] == [i for i in range(1_000) if i not in poisoned]
    assert ask("SELECT count() FROM surveys WHERE partition = 3") == [(10,)]


@pytest.mark.io
def test_a_reject_the_database_refuses_stops_the_sink_instead_of_going_round_for_ever(url: str, ask: Ask) -> None:
    ask("ALTER TABLE rejects ADD CONSTRAINT nothing CHECK size < 0")
    (reject,) = rejects_of("cx.scores.v1", record(5, b"{"))
    with closing(ClickHouseSink(url)) as sink:
        sink.add("cx.rejects.v1", 0, [record(0, reject)])
        for _ in range(2):
            with pytest.raises(SinkError, match="table rejects refuses a reject .*remove what was added to the table"):
                sink.flush()
        ask("ALTER TABLE rejects DROP CONSTRAINT nothing")
        assert sink.flush() == []
    assert ask("SELECT count() FROM rejects") == [(1,)]
