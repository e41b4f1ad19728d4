"""The oracle on examples small enough to be worked out by hand."""

import json
from typing import Any

import pytest

from tests.reference import Arrival, Config, Oracle, Row
from tests.reference.contracts import ACCOUNTS, CALLS, SURVEYS, TICKETS
from tests.reference.scores import Facts
from tests.reference.windows import moment_of

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
NOON = 1_704_110_400_000
"""2024-01-01T12:00:00Z, a boundary of every resolution."""


class Feed:
    """Builds arrivals with offsets of their own in each source partition."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []

    def send(self, topic: str, time: int, *, partition: int = 0, arrival: int | None = None, **fields: Any) -> None:
        offset = sum((a.topic, a.partition) == (topic, partition) for a in self.arrivals)
        event = {"event_id": f"{topic}-{partition}-{offset}", "time": moment_of(time)} | fields
        event.setdefault("record_id", event["event_id"])
        at = NOON + 400 * DAY if arrival is None else arrival
        self.arrivals.append(Arrival(topic, partition, offset, at, json.dumps(event).encode()))

    def answer(self, time: int, score: int, **fields: Any) -> None:
        survey: dict[str, Any] = {"survey": "s", "kind": "nps", "score": score}
        self.send(SURVEYS, time, **(survey | fields))


def oracle(feed: Feed, assess: Any = None, **config: Any) -> Oracle:
    return Oracle(Config(**({"windows": ("1h",), "cuts": ("total",)} | config)), assess).feed(feed.arrivals)


def row(rows: list[Row], score: str = "nps", cell: str = "all", window: str = "1h") -> Row:
    found = [r for r in rows if (r["score"], r["cell"], r["window"]) == (score, cell, window)]
    assert len(found) == 1, f"{score} of {cell}: {found}"
    return found[0]


def nps_of(rows: list[Row]) -> dict[str, tuple[float | None, int]]:
    return {r["end"]: (r["value"], r["n"]) for r in rows if r["score"] == "nps"}


def outcomes(checked: Oracle, topic: str = SURVEYS, partition: int = 0) -> dict[str, int]:
    return dict(checked.outcomes[topic, partition])


def test_a_row_says_what_a_published_record_says() -> None:
    feed = Feed()
    for score in (10, 9, 8, 0):
        feed.answer(NOON, score)
    assert oracle(feed).windows_at(NOON + HOUR)[0] == {
        "score": "nps",
        "cut": "total",
        "cell": "all",
        "window": "1h",
        "start": "2024-01-01T12:00:00Z",
        "end": "2024-01-01T13:00:00Z",
        "value": 25.0,
        "lower": -44.159769,
        "upper": 72.731197,
        "n": 4,
        "counts": {"promoters": 2, "passives": 1, "detractors": 1},
    }


def test_a_window_holds_its_start_and_not_its_end() -> None:
    feed = Feed()
    feed.answer(NOON, 10)
    checked = oracle(feed)
    assert row(checked.windows_at(NOON + HOUR))["n"] == 1
    assert checked.windows_at(NOON) == []
    assert checked.windows_at(NOON + HOUR + 10 * SECOND) == []


def test_a_live_window_ends_at_the_first_boundary_after_now() -> None:
    feed = Feed()
    feed.answer(NOON, 10)
    checked = oracle(feed, windows=("1h", "24h", "7d"))
    ends = {r["window"]: r["end"] for r in checked.live(NOON + 1) if r["score"] == "nps"}
    assert ends == {"1h": "2024-01-01T12:00:10Z", "24h": "2024-01-01T12:05:00Z", "7d": "2024-01-01T13:00:00Z"}
    on_the_boundary = {r["window"]: r["end"] for r in checked.live(NOON) if r["score"] == "nps"}
    assert on_the_boundary == ends


def test_an_odd_length_takes_finer_panes() -> None:
    feed = Feed()
    feed.answer(NOON, 10)
    checked = oracle(feed, windows=("90m", "26h", "1510s"))
    ends = {r["window"]: r["end"] for r in checked.end_of_data() if r["score"] == "nps"}
    assert ends == {"90m": "2024-01-01T12:05:00Z", "26h": "2024-01-01T13:00:00Z", "1510s": "2024-01-01T12:00:10Z"}


def test_a_redelivered_record_counts_once_and_an_older_version_not_at_all() -> None:
    feed = Feed()
    feed.answer(NOON, 9, record_id="r", revision=2, customer="c")
    feed.answer(NOON, 9, record_id="r", revision=2, customer="c")
    feed.answer(NOON, 3, record_id="r", revision=1, customer="c")
    checked = oracle(feed)
    assert outcomes(checked) == {"accepted": 1, "duplicate": 2}
    assert nps_of(checked.end_of_data()) == {"2024-01-01T12:00:10Z": (100.0, 1)}


def test_a_newer_version_takes_the_place_of_the_older() -> None:
    feed = Feed()
    feed.answer(NOON, 3, record_id="r", revision=1, customer="c", touchpoint="web")
    feed.answer(NOON + MINUTE, 9, record_id="r", revision=2, customer="c", touchpoint="shop")
    checked = oracle(feed, cuts=("total", "touchpoint"))
    assert outcomes(checked) == {"accepted": 1, "corrected": 1}
    nps = {r["cell"]: (r["value"], r["n"]) for r in checked.end_of_data() if r["score"] == "nps"}
    assert nps == {"all": (100.0, 1), "shop": (100.0, 1)}


def test_at_equal_version_an_answer_follows_a_refusal_follows_an_invitation() -> None:
    feed = Feed()
    for state in ("invited", "answered", "declined", "answered"):
        feed.answer(NOON, 9, record_id="r", state=state)
    checked = oracle(feed)
    assert outcomes(checked) == {"accepted": 1, "corrected": 1, "duplicate": 2}
    assert row(checked.end_of_data(), "response_rate")["counts"] == {"answered": 1}


def test_changes_of_a_ticket_are_records_of_their_own_and_legs_of_a_call_are_not() -> None:
    feed = Feed()
    for change, event in (("opened", "a"), ("solved", "b"), ("solved", "b")):
        feed.send(TICKETS, NOON, record_id="t", event_id=event, change=change)
    for outcome, event in (("abandoned", "a"), ("answered", "b")):
        feed.send(CALLS, NOON + (event == "b"), record_id="k", event_id=event, outcome=outcome)
    checked = oracle(feed)
    assert outcomes(checked, TICKETS) == {"accepted": 2, "duplicate": 1}
    assert outcomes(checked, CALLS) == {"accepted": 1, "corrected": 1}
    assert sorted(e.facts[1] for e in checked.survivors() if e.place[0] == TICKETS) == [0, 6]


def test_the_same_record_of_two_customers_is_two() -> None:
    feed = Feed()
    feed.answer(NOON, 10, record_id="r", customer="a")
    feed.answer(NOON, 10, record_id="r", customer="b")
    assert outcomes(oracle(feed)) == {"accepted": 2}


def test_what_breaks_the_contract_is_rejected_with_its_reason() -> None:
    feed = Feed()
    feed.answer(NOON, 11)
    feed.answer(NOON, 10, kind="stars")
    feed.arrivals.append(Arrival(SURVEYS, 0, 2, NOON, b"nonsense"))
    feed.arrivals.append(Arrival(SURVEYS, 0, 3, NOON, None))
    checked = oracle(feed)
    assert outcomes(checked) == {"rejected": 4}
    assert checked.reasons[SURVEYS, 0] == {"out_of_range": 1, "unknown_value": 1, "not_json": 1, "null_value": 1}
    assert checked.end_of_data() == []


def test_the_future_is_rejected_beyond_its_bound_and_moves_no_watermark() -> None:
    feed = Feed()
    feed.answer(NOON + 10 * MINUTE, 10, arrival=NOON)
    feed.answer(NOON + 10 * MINUTE + 1, 10, arrival=NOON)
    feed.answer(NOON + 365 * DAY, 10, arrival=NOON)
    checked = oracle(feed)
    assert outcomes(checked) == {"accepted": 1, "rejected": 2}
    assert checked.reasons[SURVEYS, 0] == {"future": 2}
    assert checked.watermarks == {(SURVEYS, 0): NOON}


def test_lateness_is_judged_by_its_own_source_partition_before_the_event_moves_it() -> None:
    feed = Feed()
    feed.answer(NOON, 10)
    feed.answer(NOON - 2 * DAY, 0)
    feed.answer(NOON - 2 * DAY - 1, 0, record_id="late", customer="c")
    feed.answer(NOON - 2 * DAY - 1, 0, partition=1)
    feed.answer(NOON + 90 * DAY, 10)
    feed.answer(NOON, 0)
    checked = oracle(feed, allowance="2d", windows=("7d",))
    assert outcomes(checked) == {"accepted": 3, "late": 2}
    assert outcomes(checked, partition=1) == {"accepted": 1}
    assert row(checked.windows_at(NOON + HOUR), window="7d")["n"] == 3


def test_a_late_record_is_not_remembered_and_a_late_duplicate_is_a_duplicate() -> None:
    feed = Feed()
    feed.answer(NOON - 3 * DAY, 10, record_id="known")
    feed.answer(NOON, 10)
    for record in ("known", "unknown", "unknown"):
        feed.answer(NOON - 3 * DAY, 10, record_id=record)
    assert outcomes(oracle(feed, allowance="2d", windows=("7d",))) == {"accepted": 2, "duplicate": 1, "late": 2}


def test_a_forgotten_record_that_comes_again_newer_is_accepted_anew() -> None:
    feed = Feed()
    feed.answer(NOON, 0, record_id="r", revision=1)
    feed.answer(NOON + 2 * DAY, 10)
    feed.answer(NOON + 2 * DAY, 10, record_id="r", revision=2)
    feed.answer(NOON + 2 * DAY + 1, 10)
    assert outcomes(oracle(feed, allowance="1d", horizon="48h", windows=("7d",))) == {"accepted": 3, "corrected": 1}
    feed.arrivals.insert(2, feed.arrivals.pop())
    checked = oracle(feed, allowance="1d", horizon="48h", windows=("7d",))
    assert outcomes(checked) == {"accepted": 4}
    assert row(checked.end_of_data(), window="7d")["counts"] == {"promoters": 3, "passives": 0, "detractors": 1}


def test_a_closed_pane_takes_and_gives_nothing_and_a_coarser_one_still_does() -> None:
    feed = Feed()
    feed.answer(NOON, 0, record_id="r", revision=1)
    feed.answer(NOON + 2 * HOUR + 10 * SECOND, 10)
    feed.answer(NOON, 10, record_id="r", revision=2)
    feed.answer(NOON, 10, record_id="second")
    feed.answer(NOON + 10 * SECOND, 10, record_id="third")
    checked = oracle(feed, windows=("1h", "24h"))
    assert row(checked.windows_at(NOON + HOUR))["counts"] == {"promoters": 1, "passives": 0, "detractors": 1}
    day = row(checked.windows_at(NOON + 20 * HOUR), window="24h")
    assert day["counts"] == {"promoters": 4, "passives": 0, "detractors": 0}
    assert len(checked.survivors()) == 5


@pytest.mark.parametrize(
    ("slowest", "every", "allowance", "ends"),
    [
        (3 * HOUR - 1, "1h", "30d", ["2024-01-01T13:00:00Z"]),
        (3 * HOUR, "1h", "30d", ["2024-01-01T13:00:00Z", "2024-01-01T14:00:00Z"]),
        (3 * HOUR, "2h", "30d", ["2024-01-01T14:00:00Z"]),
        (3 * HOUR + 9 * SECOND, "2h", "10s", ["2024-01-01T14:00:00Z"]),
        (4 * HOUR + 10 * SECOND, "2h", "10s", ["2024-01-01T14:00:00Z", "2024-01-01T16:00:00Z"]),
    ],
)
def test_a_replay_gives_each_boundary_that_the_slowest_source_partition_has_passed(
    slowest: int, every: str, allowance: str, ends: list[str]
) -> None:
    feed = Feed()
    for hour in range(6):
        feed.answer(NOON + hour * HOUR, 10)
    feed.send(CALLS, NOON + slowest, outcome="menu")
    checked = oracle(feed, allowance=allowance)
    assert nps_of(checked.replay(every)) == dict.fromkeys(ends, (100.0, 1))
    assert list(nps_of(checked.end_of_data())) == ["2024-01-01T17:00:10Z"]


def test_cells_are_the_values_of_a_cut_and_nobody_is_counted_without_one() -> None:
    feed = Feed()
    feed.answer(NOON, 10, touchpoint="a+b", channel="web", audience="internal")
    feed.answer(NOON, 0, touchpoint="shop")
    feed.answer(NOON, 8, channel="web")
    rows = oracle(feed, cuts=("total", "touchpoint", "channel", "audience", "touchpoint+channel")).end_of_data()
    cells = {(r["cut"], r["cell"]): (r["value"], r["n"]) for r in rows if r["score"] == "nps"}
    assert cells == {
        ("total", "all"): (0.0, 3),
        ("touchpoint", "a+b"): (100.0, 1),
        ("touchpoint", "shop"): (-100.0, 1),
        ("channel", "web"): (50.0, 2),
        ("audience", "internal"): (100.0, 1),
        ("audience", "external"): (-50.0, 2),
        ("touchpoint+channel", "a++b+web"): (100.0, 1),
    }


def contacts(known: list[tuple[int, Facts]], at: int, horizon: int) -> tuple[int, bool, int] | None:
    """100,000 ppm a contact, unknown without any; the reasons do not matter here."""
    calls = sum(facts[0] == 1 for time, facts in known if time >= at - horizon)
    return (100_000 * calls, calls >= 3, -1) if calls else None


def test_each_customer_counts_once_with_its_latest_assessment() -> None:
    feed = Feed()
    for minute in range(3):
        feed.send(CALLS, NOON + minute * MINUTE, customer="a", outcome="answered", queue="q1")
    feed.send(CALLS, NOON, customer="b", outcome="answered", queue="q2")
    feed.answer(NOON, 5, customer="c")
    feed.send(CALLS, NOON, customer="0", outcome="answered", queue="q2")
    rows = oracle(feed, contacts, cuts=("total", "queue")).end_of_data()
    risks = {r["cell"]: (r["value"], r["n"], r["counts"]) for r in rows if r["score"] == "churn_risk"}
    assert risks == {
        "all": (0.2, 2, {"high": 1, "sum_ppm": 400_000}),
        "q1": (0.3, 1, {"high": 1, "sum_ppm": 300_000}),
        "q2": (0.1, 1, {"high": 0, "sum_ppm": 100_000}),
    }
    assert row(rows, "churn_risk_high")["value"] == 0.5


def test_an_assessment_lies_at_the_newest_event_also_when_older_evidence_follows() -> None:
    feed = Feed()
    feed.send(CALLS, NOON + 2 * HOUR, customer="a", outcome="answered", queue="new")
    feed.send(TICKETS, NOON + HOUR, customer="a", change="opened", team="old")
    feed.send(CALLS, NOON, customer="a", outcome="answered", queue="old")
    checked = oracle(feed, contacts, windows=("1h",), cuts=("queue", "team"))
    rows = [r for r in checked.end_of_data() if r["score"] == "churn_risk"]
    assert [(r["cell"], r["value"]) for r in rows] == [("new", 0.2)]
    assert "churn_risk" not in {r["score"] for r in checked.windows_at(NOON + 3 * HOUR)}


def test_the_bands_are_those_at_each_event_of_the_longest_window() -> None:
    feed = Feed()
    for minute in range(4):
        feed.send(CALLS, NOON + minute * MINUTE, customer="a", outcome="answered", queue=f"q{minute}")
    feed.answer(NOON + 32 * DAY, 8, customer="b")
    feed.send(CALLS, NOON + 31 * DAY + 2 * MINUTE, customer="a", outcome="answered", queue="late")
    rows = oracle(feed, contacts, windows=("40d",), cuts=("queue",)).end_of_data()
    changes = {(r["score"], r["cell"]): r["value"] for r in rows if r["score"] in ("newly_at_risk", "recovered")}
    assert changes == {("newly_at_risk", "q2"): 1, ("recovered", "late"): 1}
    asked_twice = oracle(feed, contacts, windows=("40d",), cuts=("queue",))
    assert asked_twice.end_of_data() == asked_twice.end_of_data() == rows


def test_an_assessment_that_becomes_unknown_is_taken_back() -> None:
    def fickle(known: list[tuple[int, Facts]], at: int, horizon: int) -> tuple[int, bool, int] | None:
        return None if any(facts[0] == 3 for _, facts in known) else (500_000, False, -1)

    feed = Feed()
    feed.send(CALLS, NOON, customer="a", outcome="answered")
    assert row(oracle(feed, fickle).end_of_data(), "churn_risk")["value"] == 0.5
    feed.send(ACCOUNTS, NOON, customer="a", change="cancelled")
    assert {r["score"] for r in oracle(feed, fickle).end_of_data()} == {
        "offered",
        "abandonment",
        "transfers",
        "repeat_contact",
    }


def test_how_sources_and_partitions_are_interleaved_makes_no_difference() -> None:
    feed = Feed()
    for i in range(40):
        feed.answer(NOON + (i * 7 % 40) * MINUTE, i % 11, partition=i % 3, customer=f"c{i % 3}-{i % 5}")
        feed.send(CALLS, NOON + (i * 11 % 40) * MINUTE, partition=i % 3, customer=f"c{i % 3}-{i % 4}", outcome="menu")
    one_after_another = sorted(feed.arrivals, key=lambda a: (a.topic, a.partition, a.offset))
    mixed, drained = oracle(feed, contacts), Oracle(Config(windows=("1h",), cuts=("total",)), contacts)
    drained.feed(one_after_another)
    assert mixed.end_of_data() == drained.end_of_data() != []
    assert mixed.outcomes == drained.outcomes


@pytest.mark.parametrize("span", ["", "5", "5 m", "1w", "-1h"])
def test_a_span_that_is_none_is_an_error(span: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        Oracle(Config(windows=(span,)))
