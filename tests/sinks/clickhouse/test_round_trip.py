"""What is stored comes back as it was."""

from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from schemas.account import Account
from schemas.call import Call
from schemas.pane import Pane, Watermark
from schemas.reject import Reject
from schemas.risk import Contribution, Risk
from schemas.survey import Survey
from schemas.ticket import Ticket
from sinks.clickhouse.sink import ClickHouseSink
from sinks.clickhouse.tables import TABLES
from tests.sinks.conftest import Ask
from tests.sinks.given import NOON, NOON_MS, record, score, survey

pytestmark = pytest.mark.io
FIRST = datetime(1900, 1, 1, tzinfo=UTC)
LAST = datetime(2299, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
ODD = datetime(2024, 2, 29, 23, 59, 59, 123_999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
BEFORE_1970 = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
TEXT = 'ça 😀 \'x\' "y" \\ \t\n\x00 \u2028 日本 <b>&amp; {"a":1}'
HUGE, TINY = 2**63 - 1, -(2**63)
ENVELOPE: dict[str, Any] = {
    "event_id": TEXT,
    "record_id": "r" * 256,
    "time": ODD,
    "revision": 2**53,
    "updated_at": BEFORE_1970,
    "customer": TEXT,
    "touchpoint": TEXT,
    "channel": "é" * 128,
    "team": "t",
    "agent": "a",
    "segment": "s",
    "audience": "internal",
    "source": "z",
}
BARE: dict[str, Any] = {"event_id": "e", "record_id": "r", "time": FIRST, "customer": None}
RECORDS = [
    Ticket(
        **ENVELOPE,
        change="merged",
        priority="P1",
        approval=True,
        opened_at=LAST,
        reassignments=2**53,
        reopens=0,
        amount=-1.7976931348623157e308,
        status="open",
    ),
    Ticket(**BARE, change="opened"),
    Call(
        **ENVELOPE,
        outcome="abandoned",
        direction="outbound",
        queue="q",
        wait=0.1,
        talk=-3.25,
        hold=5e-324,
        after_call=1e308,
        transfers=2**53,
        call_id=TEXT,
    ),
    Call(**BARE, outcome="menu"),
    Survey(
        **ENVELOPE,
        survey=TEXT,
        kind="nps",
        state="answered",
        score=0,
        scale="0-10",
        program="relationship",
        comment=TEXT * 300,
    ),
    Survey(**BARE, survey="s", kind="csat", state="invited", score=None),
    Account(**ENVELOPE, change="renewed", value=0.1 + 0.2, plan=TEXT),
    Account(**BARE, change="cancelled"),
    Pane(
        cut="touchpoint+channel",
        cell=TEXT,
        resolution=3600,
        start=FIRST,
        topic="cx.calls.v1",
        partition=HUGE,
        version=HUGE,
        last={"nps": LAST, "csat": ODD},
        counts={"nps": {0: TINY, 10: HUGE}, TEXT: {}, "sum": {-5: 1}},
    ),
    Watermark(topic="cx.calls.v1", partition=0, offset=HUGE, time=ODD),
    Watermark(topic="cx.tickets.v1", partition=0, offset=-1, time=None),
    score(value=-33.333333, counts={TEXT: HUGE, "promoters": 0}, revision=HUGE, n=TINY, final=True, cell=TEXT),
    score(value=None, lower=None, upper=None, n=0, counts={}, last_event=None, owner=None),
    Risk(
        customer=TEXT,
        time=ODD,
        risk=0.123456789012345678,
        band="high",
        base=0.05,
        coverage=1.0,
        horizon_days=30,
        model="m",
        revision=HUGE,
        contributions=[Contribution(feature=TEXT, value=-1e-9, points=0.07)],
    ),
    Risk(
        customer="c",
        time=FIRST,
        risk=None,
        band="unknown",
        base=0.0,
        coverage=0.0,
        horizon_days=30,
        model="m",
        revision=0,
        contributions=[],
    ),
    Reject(
        topic="cx.calls.v1",
        partition=3,
        offset=HUGE,
        reason="not_json",
        field=TEXT,
        detail=TEXT,
        time=LAST,
        key=TEXT,
        payload=TEXT,
        encoding="utf-8",
        size=HUGE,
        truncated=True,
    ),
]


@pytest.mark.parametrize("number", range(len(RECORDS)), ids=lambda number: f"{type(RECORDS[number]).__name__}-{number}")
def test_every_field_comes_back(number: int, shared: tuple[str, Ask]) -> None:
    url, ask = shared
    value, arrival = RECORDS[number], NOON + timedelta(milliseconds=number)
    table = next(table for table in TABLES if table.record is type(value))
    with closing(ClickHouseSink(url)) as sink:
        sink.add(table.topic.name, 7, [record(2**40, value, NOON_MS + number)])
        assert sink.flush() == []
    came = "arrived_at" if table.topic.role == "source" else "published_at"
    names = ", ".join(f"`{name}`" for name in table.columns)
    (row,) = ask(f"SELECT {names} FROM {table.name} WHERE toUnixTimestamp64Milli({came}) = {NOON_MS + number}")
    address = {"topic": table.topic.name, "partition": 7, "offset": 2**40} if came == "arrived_at" else {}
    fields = {name: _stored(getattr(value, name)) for name in value.__struct_fields__}
    nobody = {"customer": ""} if fields.get("customer", "") is None else {}
    assert dict(zip(table.columns, row, strict=True)) == {**address, came: _stored(arrival), **fields, **nobody}


def test_times_of_the_broker_outside_the_calendar_are_held_at_its_ends(shared: tuple[str, Ask]) -> None:
    url, ask = shared
    with closing(ClickHouseSink(url)) as sink:
        times = (-1, 0, 1, 2**62)
        sink.add("cx.surveys.v1", 9, [record(offset, survey(offset), time) for offset, time in enumerate(times)])
        sink.flush()
    stored = ask("SELECT toUnixTimestamp64Milli(arrived_at) FROM surveys WHERE partition = 9 ORDER BY offset")
    assert [ms for (ms,) in stored] == [0, 0, 1, int(LAST.timestamp()) * 1000 + 999]


def _stored(value: object) -> object:
    """How the client gives a value back: times in UTC without a zone, down to the millisecond."""
    if isinstance(value, datetime):
        utc = value.astimezone(UTC).replace(tzinfo=None)
        return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
    if isinstance(value, dict):
        return {key: _stored(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [msgspec.structs.asdict(item) if isinstance(item, msgspec.Struct) else item for item in value]
    return value
