"""The three real exports: every row is accounted for, and every quirk of the data gives the expected event."""

import asyncio
import functools
import json
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from streams.importing.mapping_files import load_mapping
from streams.importing.run import spool_events
from streams.importing.sort import Spool
from streams.importing.summary import ImportSummary
from tests.integration.real_input import readers
from tests.support.no_progress import NoProgress

FILES = {"servicenow": readers.TICKETS, "bank-calls": readers.CALLS, "telco-nps": readers.ANSWERS}
READERS = {"servicenow": readers.ticket_changes, "bank-calls": readers.calls, "telco-nps": readers.answers}

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("exports")]

Event = dict[str, Any]


@functools.cache
def imported(name: str) -> tuple[ImportSummary, list[Event], list[str]]:
    file = readers.data(FILES[name])
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder), run_bytes=16_000_000)
        summary = asyncio.run(spool_events(load_mapping(name), [file], spool, NoProgress()))
        spooled = list(spool.merged())
    return summary, [json.loads(event.payload) for event in spooled], [event.key.decode() for event in spooled]


def event(name: str, **expected: str) -> Event:
    [found] = [e for e in imported(name)[1] if all(e.get(field) == value for field, value in expected.items())]
    return found


@pytest.mark.parametrize(
    ("name", "rows", "sent", "rejected", "dropped"),
    [
        ("servicenow", 141_712, 141_712, {}, {}),
        ("bank-calls", 17_456, 17_313, {}, {"phantom": 143}),
        ("telco-nps", 1_482, 1_460, {"missing_field": 22}, {}),
    ],
)
def test_every_row_is_accounted_for(
    name: str, rows: int, sent: int, rejected: dict[str, int], dropped: dict[str, int]
) -> None:
    summary, events, _ = imported(name)
    print(summary.text(name))
    assert (summary.rows, summary.ready, summary.rejected, summary.dropped) == (rows, sent, rejected, dropped)
    assert len(events) == sent
    assert rows == sent + sum(rejected.values()) + sum(dropped.values())


@pytest.mark.parametrize("name", FILES)
def test_events_equal_those_of_an_independent_reader_in_the_same_order(name: str) -> None:
    _, events, keys = imported(name)
    expected = READERS[name]()
    made_up = {"event_id"} | ({"record_id"} if name == "telco-nps" else set())
    made_up -= {"event_id"} if name == "servicenow" else set()
    assert len(events) == len(expected)
    for ours, theirs in zip(events, expected, strict=True):
        assert {k: v for k, v in ours.items() if k not in made_up} == {
            k: v for k, v in theirs.items() if k not in made_up
        }
    assert keys == list(readers.keys(expected if name != "telco-nps" else events))


@pytest.mark.parametrize("name", FILES)
def test_identities_are_distinct_and_times_ascend(name: str) -> None:
    _, events, _ = imported(name)
    assert len({(e["record_id"], e["event_id"]) for e in events}) == len(events)
    if name != "servicenow":
        assert len({e["record_id"] for e in events}) == len(events)
    times = [e["time"] for e in events]
    assert times == sorted(times)


def test_missing_values_of_the_desk_are_absent_and_its_users_are_internal() -> None:
    _, events, keys = imported("servicenow")
    assert not any("?" in e.values() for e in events)
    assert {e["audience"] for e in events} == {"internal"}
    assert sum("agent" not in e for e in events) == 27_496
    assert sum("team" not in e for e in events) == 14_213
    anonymous = [(e, key) for e, key in zip(events, keys, strict=True) if "customer" not in e]
    assert len(anonymous) == 29
    assert all(key == e["record_id"] for e, key in anonymous)


def test_invalid_states_of_the_desk_are_kept_as_updates() -> None:
    changes = [e["change"] for e in imported("servicenow")[1] if e["status"] == "-100"]
    assert changes == ["updated"] * 5


def test_states_of_the_desk_become_changes() -> None:
    _, events, _ = imported("servicenow")
    assert Counter(e["change"] for e in events) == {
        "updated": 67_882,
        "solved": 25_751,
        "closed": 24_985,
        "opened": 23_094,
    }
    assert {e["status"] for e in events if e["change"] == "solved"} == {"Resolved"}


def test_the_one_update_of_the_desk_that_is_out_of_order_is_put_in_order() -> None:
    changes = [e for e in imported("servicenow")[1] if e["record_id"] == "0000137"]
    in_file = [int(e["event_id"].split()[1]) for e in changes]
    assert in_file != sorted(in_file)
    assert [e["time"] for e in changes] == sorted(e["time"] for e in changes)


def test_changes_of_a_ticket_in_the_same_minute_keep_the_order_of_the_file() -> None:
    changes = [e for e in imported("servicenow")[1] if e["record_id"] == "0000045"]
    assert [int(e["event_id"].split()[1]) for e in changes] == [0, 2, 3, 4]


def test_the_touchpoint_of_the_desk_is_the_first_of_its_two_categories() -> None:
    assert event("servicenow", event_id="0000045 0 29/2/2016 01:23")["touchpoint"] == "55"


def test_anonymous_callers_of_the_bank_are_not_one_customer() -> None:
    _, events, keys = imported("bank-calls")
    anonymous = [key for e, key in zip(events, keys, strict=True) if "customer" not in e]
    assert len(anonymous) == len(set(anonymous)) > 10_000
    assert not any(e.get("customer") == "0" for e in events)


def test_calls_of_the_bank_are_answered_abandoned_in_the_queue_or_left_in_the_menu() -> None:
    _, events, _ = imported("bank-calls")
    assert Counter(e["outcome"] for e in events) == {"answered": 14_405, "abandoned": 1_885, "menu": 1_023}


def test_answered_calls_without_a_server_are_kept_without_an_agent() -> None:
    _, events, _ = imported("bank-calls")
    assert sum(e["outcome"] == "answered" and "agent" not in e for e in events) == 275
    assert "agent" not in event("bank-calls", record_id="AA0101-34537-990201")


def test_the_time_of_a_call_is_its_end_in_the_time_zone_of_israel() -> None:
    assert event("bank-calls", record_id="AA0101-34536-990201")["time"] == "1999-02-01T05:05:41Z"


def test_a_call_past_midnight_ends_on_the_next_day() -> None:
    assert event("bank-calls", record_id="AA0104-22869-990208")["time"] == "1999-02-08T22:00:55Z"
    assert event("bank-calls", record_id="AA0105-35608-990210")["time"] == "1999-02-10T22:00:26Z"


def test_a_negative_time_in_the_menu_moves_no_call_to_another_day() -> None:
    call = event("bank-calls", record_id="AA0102-30456-990207")
    assert (call["time"], call["wait"], call["talk"]) == ("1999-02-07T07:51:28Z", 174.0, 77.0)
    days = Counter(e["time"][:10] for e in imported("bank-calls")[1])
    assert set(days) <= {f"1999-02-{day:02}" for day in range(1, 15)} | {"1999-01-31"}


def test_blank_scores_are_rejected_with_their_lines_and_a_zero_is_a_score() -> None:
    summary, events, _ = imported("telco-nps")
    assert summary.examples["missing_field"] == [
        f"nps_2017-12_2018-03.csv:{line}: score: an answered survey needs a score" for line in (151, 182, 285)
    ]
    assert sum(e["score"] == "0" for e in events) == 486


def test_the_customers_of_the_answers_are_invented_and_the_summary_reports_them() -> None:
    summary, events, _ = imported("telco-nps")
    assert summary.invented_customers == 500
    assert "assigned to 500 invented ones" in summary.text("telco-nps")
    assert 460 < len({e["customer"] for e in events}) <= 500


def test_the_journey_stage_is_the_touchpoint() -> None:
    assert Counter(e["touchpoint"] for e in imported("telco-nps")[1]).keys() == {
        "First Payment",
        "Order",
        "Equipment Received",
        "Service in Use",
    }


def test_the_span_of_each_export_is_reported() -> None:
    summary, _, _ = imported("telco-nps")
    assert summary.first_time == datetime(2017, 12, 11, 19, 36, tzinfo=UTC)
    assert summary.last_time == datetime(2018, 3, 31, 20, 30, tzinfo=UTC)
