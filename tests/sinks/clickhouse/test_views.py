"""Views answer what people ask: the newest of each, each once, and what was known then."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from schemas.account import Account
from schemas.call import Call
from schemas.pane import Pane, Watermark
from schemas.risk import Risk
from schemas.ticket import Ticket
from sinks.clickhouse.sink import ClickHouseSink
from sinks.dead_letter import not_storable
from tests.sinks.conftest import Ask
from tests.sinks.given import NOON, NOON_MS, record, score, survey

pytestmark = pytest.mark.io


@pytest.fixture
def url(http_url: str) -> str:
    return http_url


def store(url: str, topic: str, *values: msgspec.Struct, partition: int = 0) -> None:
    """Store each value in a part of its own, at a later offset and a minute after the one before."""
    with closing(ClickHouseSink(url)) as sink:
        for offset, value in enumerate(values):
            sink.add(topic, partition, [record(offset, value, NOON_MS + offset * 60_000)])
            assert sink.flush() == []


def test_a_source_view_shows_the_newest_version_of_each_record(url: str, ask: Ask) -> None:
    later = NOON + timedelta(hours=1)
    store(
        url,
        "cx.surveys.v1",
        survey(1, revision=2, score=9),
        survey(1, revision=1, score=3),  # the older one comes later
        survey(2, updated_at=NOON, score=1),
        survey(2, updated_at=later, score=2),
        survey(3, time=later, score=4),
        survey(3, score=5),
        survey(4, state="invited", score=None),
        survey(4, score=6),
        survey(4, state="declined", score=None),
        survey(5, revision=1, score=7),
        survey(5, revision=1, score=8),  # equal: the first to arrive
    )
    assert ask("SELECT record_id, state, score FROM surveys_latest ORDER BY record_id") == [
        ("r-1", "answered", 9),
        ("r-2", "answered", 2),
        ("r-3", "answered", 4),
        ("r-4", "answered", 6),
        ("r-5", "answered", 7),
    ]
    ask("OPTIMIZE TABLE surveys FINAL")
    assert ask("SELECT count() FROM surveys") == [(11,)], "as received: every version stays in the table"


def test_a_producer_that_repeats_itself_is_shown_once(url: str, ask: Ask) -> None:
    store(url, "cx.calls.v1", *[_call() for _ in range(4)])
    store(url, "cx.calls.v1", _call(), partition=1)
    assert ask("SELECT (SELECT count() FROM calls), count(), any(partition), any(offset) FROM calls_latest") == [
        (5, 1, 0, 0)
    ]


def test_changes_of_one_ticket_and_of_one_account_are_records_of_their_own(url: str, ask: Ask) -> None:
    bare: dict[str, Any] = {"record_id": "t", "time": NOON}
    store(
        url,
        "cx.tickets.v1",
        Ticket(**bare, event_id="1", change="opened"),
        Ticket(**bare, event_id="2", change="solved"),
        Ticket(**bare, event_id="2", change="solved", revision=2**50, status="again"),
    )
    store(
        url,
        "cx.accounts.v1",
        Account(**bare, event_id="1", change="started"),
        Account(**bare, event_id="1", change="started"),
        Account(**bare, event_id="2", change="renewed"),
    )
    assert ask("SELECT event_id, status FROM tickets_latest ORDER BY event_id") == [("1", ""), ("2", "again")]
    assert ask("SELECT event_id, change FROM accounts_latest ORDER BY event_id") == [("1", "started"), ("2", "renewed")]


def test_scores_latest_shows_the_greatest_end_and_of_that_the_highest_revision(url: str, ask: Ask) -> None:
    older = NOON - timedelta(hours=1)
    store(
        url,
        "cx.scores.v1",
        score(end=older, revision=99, value=1.0),
        score(revision=5, value=2.0),
        score(revision=6, value=None, n=0, owner=None),
        score(revision=4, value=3.0),
        score(cell="web", cut="channel", value=4.0, counts={"promoters": 1}),
    )
    assert ask("SELECT cell, `end`, revision, value, n, owner FROM scores_latest ORDER BY cell") == [
        ("all", _naive(NOON), 6, None, 0, None),
        ("web", _naive(NOON), 10, 4.0, 10, "Ana"),
    ]
    assert ask("SELECT counts, lower, upper, start, unit, final, last_event FROM scores_latest WHERE cell = 'web'") == [
        (
            {"promoters": 1},
            10.0,
            80.0,
            _naive(NOON.replace(hour=11)),
            "points",
            False,
            _naive(NOON.replace(hour=11, minute=59)),
        )
    ]
    assert ask("SELECT `end`, revision FROM scores_history WHERE cell = 'all' ORDER BY `end`") == [
        (_naive(older), 99),
        (_naive(NOON), 6),
    ]


@pytest.mark.parametrize("merged", [False, True], ids=["fresh", "merged"])
def test_scores_as_known_answers_for_a_moment_in_the_past_merged_or_not(merged: bool, url: str, ask: Ask) -> None:
    ends = [NOON + timedelta(minutes=5 * i) for i in range(3)]
    # published at 12:00, 12:01 (a correction of the first), 12:02, 12:03
    store(
        url,
        "cx.scores.v1",
        score(end=ends[0], revision=1, value=1.0),
        score(end=ends[0], revision=2, value=2.0),
        score(end=ends[1], revision=2, value=3.0),
        score(end=ends[2], revision=2, value=4.0),
    )
    if merged:
        ask("OPTIMIZE TABLE scores FINAL")
        ask("OPTIMIZE TABLE score_revisions FINAL")
    known = {
        at: ask(f"SELECT value FROM scores_as_known(at = '2026-03-01 {at}')")
        for at in ("11:59:59.999", "12:00:30", "12:01:00", "12:01:59.999", "12:02:00", "12:59:00")
    }
    assert known == {
        "11:59:59.999": [],
        "12:00:30": [(1.0,)],
        "12:01:00": [(2.0,)],
        "12:01:59.999": [(2.0,)],
        "12:02:00": [(3.0,)],
        "12:59:00": [(4.0,)],
    }
    assert ask("SELECT value FROM scores_as_known(at = now64(3))") == ask("SELECT value FROM scores_latest")


def test_a_moment_older_than_the_revisions_is_known_by_the_highest_of_each_end(url: str, ask: Ask) -> None:
    store(url, "cx.scores.v1", score(revision=1, value=1.0), score(revision=2, value=2.0))
    ask("OPTIMIZE TABLE scores FINAL")
    ask("TRUNCATE TABLE score_revisions")
    assert ask("SELECT value FROM scores_as_known(at = '2026-03-01 12:00:30')") == []
    assert ask("SELECT value FROM scores_as_known(at = '2026-03-01 12:01:00')") == [(2.0,)]


def test_redelivery_does_not_change_what_was_known_then(url: str, ask: Ask) -> None:
    store(url, "cx.scores.v1", score())
    with closing(ClickHouseSink(url)) as sink:
        sink.add("cx.scores.v1", 0, [record(0, score()), record(1, score(cell="web"))])
        sink.flush()
    ask("OPTIMIZE TABLE scores FINAL")
    ask("OPTIMIZE TABLE score_revisions FINAL")
    assert ask("SELECT count() FROM score_revisions") == [(2,)]
    assert ask("SELECT cell FROM scores_as_known(at = '2026-03-01 12:00:00') ORDER BY cell") == [("all",), ("web",)]


def test_risk_latest_shows_the_highest_revision_of_each_customer(url: str, ask: Ask) -> None:
    store(url, "cx.risk.v1", _risk("a", 2, 0.5), _risk("a", 1, 0.1), _risk("b", 1, None), _risk("a", 3, 0.7))
    assert ask("SELECT customer, risk FROM risk_latest ORDER BY customer") == [("a", 0.7), ("b", None)]
    assert ask("SELECT count() FROM risk") == [(4,)], "earlier assessments stay"


def test_partials_watermarks_and_rejects_are_shown_once(url: str, ask: Ask) -> None:
    store(url, "cx.panes.v1", _pane(2, 20), _pane(1, 10), _watermark(7), _watermark(5))
    reject = not_storable("cx.calls.v1", 0, record(4, b"{"), "time", "no")
    store(url, "cx.rejects.v1", reject, reject, msgspec.structs.replace(reject, reason="future"))
    assert ask("SELECT version, counts FROM panes_latest") == [(2, {"nps": {10: 20}})]
    assert ask("SELECT topic, partition, offset FROM watermarks_latest") == [("cx.calls.v1", 0, 7)]
    assert ask("SELECT offset, reason FROM rejects_latest ORDER BY reason") == [(4, "future"), (4, "not_storable")]


def test_every_view_can_be_asked_while_empty(url: str, ask: Ask) -> None:
    assert url
    views = [
        name
        for (name,) in ask(
            "SELECT name FROM system.tables WHERE database = currentDatabase() "
            "AND engine = 'View' AND name != 'scores_as_known'"
        )
    ]
    assert len(views) == 10
    assert [ask(f"SELECT * FROM {view}") for view in views] == [[]] * 10


def _call() -> Call:
    return Call(event_id="e", record_id="r", time=NOON, outcome="answered", talk=30.0)


def _risk(customer: str, revision: int, risk: float | None) -> Risk:
    return Risk(
        customer=customer,
        time=NOON + timedelta(minutes=revision),
        risk=risk,
        band="low",
        base=0.1,
        contributions=[],
        coverage=1.0,
        horizon_days=30,
        model="m",
        revision=revision,
    )


def _pane(version: int, count: int) -> Pane:
    return Pane(
        cut="total",
        cell="all",
        resolution=10,
        start=NOON,
        topic="cx.calls.v1",
        partition=0,
        version=version,
        last={"nps": NOON},
        counts={"nps": {10: count}},
    )


def _watermark(offset: int) -> Watermark:
    return Watermark(topic="cx.calls.v1", partition=0, offset=offset, time=NOON)


def _naive(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None)
