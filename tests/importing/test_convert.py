"""From rows to events: fields, types, cases, identities, keys and order."""

from pathlib import Path

import pytest

from tests.importing.exports import CALLS, GOOD, HEADER, SURVEYS, answer, run


def test_a_row_becomes_an_event_in_utc_with_its_customer_as_key(tmp_path: Path) -> None:
    _, [event] = run(tmp_path, CALLS, HEADER + GOOD)
    assert event.pop("event_id").startswith("mine-")
    assert event == {
        "record_id": "1",
        "time": "2024-05-01T08:00:00Z",
        "outcome": "answered",
        "customer": "ann",
        "wait": 1.5,
        "key": "ann",
    }


@pytest.mark.parametrize("anonymous", ["", "?", "0"])
def test_an_anonymous_row_is_keyed_by_its_record(tmp_path: Path, anonymous: str) -> None:
    _, [event] = run(tmp_path, CALLS, HEADER + GOOD.replace("ann", anonymous))
    assert event["key"] == "1"


def test_rows_that_a_drop_rule_matches_are_counted_under_its_reason(tmp_path: Path) -> None:
    summary, events = run(tmp_path, CALLS, HEADER + GOOD + GOOD.replace("ann", "robot") + GOOD.replace("ann", "tester"))
    assert (summary.rows, len(events), summary.dropped) == (3, 1, {"test-call": 2})


def test_objects_are_read_by_paths_with_dots(tmp_path: Path) -> None:
    _, [event, anonymous] = run(
        tmp_path, SURVEYS, answer("a", "ann", 9) + "\n" + answer("b", None, "10"), name="x.ndjson"
    )
    assert (event["record_id"], event["customer"], event["score"]) == ("a", "ann", "9")
    assert anonymous["key"] == "b"


def test_a_path_that_no_object_has_is_reported(tmp_path: Path) -> None:
    summary, _ = run(
        tmp_path, SURVEYS.replace("hidden.user_id", "hidden.userid"), answer("a", "ann", 9), name="x.ndjson"
    )
    assert summary.unseen_columns == ["form_response.hidden.userid"]
    assert "check these names" in summary.text("mine")


def test_events_are_ordered_by_time_and_equal_times_by_their_place_in_the_files(tmp_path: Path) -> None:
    def row(number: int, minute: int) -> str:
        return f"{number},2024-05-01 10:{minute:02},answered,ann,1\n"

    first, second = HEADER + row(1, 30) + row(2, 10) + row(3, 10), HEADER + row(4, 10) + row(5, 0)
    summary, events = run(tmp_path, CALLS, first, second)
    assert [event["record_id"] for event in events] == ["5", "2", "3", "4", "1"]
    assert summary.first_time is not None
    assert summary.last_time is not None
    assert f"{summary.first_time:%H:%M} {summary.last_time:%H:%M}" == "08:00 08:30"


def test_the_same_file_gives_the_same_identities_and_distinct_rows_get_distinct_ones(tmp_path: Path) -> None:
    without = CALLS.replace('record_id = "id"\n', "")
    content = HEADER + GOOD * 2 + GOOD.replace("ann", "bob")
    once, again, appended = (run(tmp_path, without, text)[1] for text in (content, content, content + GOOD))
    assert once == again == appended[:3]
    assert len({event["record_id"] for event in appended}) == 4
    assert all(event["record_id"] == event["event_id"] for event in once)


def test_each_change_of_a_record_has_its_own_event_id_wherever_it_stands_in_the_file(tmp_path: Path) -> None:
    content = HEADER + GOOD + GOOD.replace("answered", "menu")
    _, events = run(tmp_path, CALLS, content)
    _, moved = run(tmp_path, CALLS, HEADER + GOOD.replace("answered", "menu") + GOOD)
    assert len({event["event_id"] for event in events}) == 2
    assert {event["event_id"] for event in events} == {event["event_id"] for event in moved}


def test_invented_customers_are_the_same_each_time_and_the_summary_reports_them(
    tmp_path: Path,
) -> None:
    mapping = CALLS.replace('customer = "who"\n', "") + "[customers]\ninvent = 7\n"
    summary, events = run(tmp_path, mapping, HEADER + GOOD * 500)
    assert {event["customer"] for event in events} == {f"invented-{n}" for n in range(1, 8)}
    assert events == run(tmp_path, mapping, HEADER + GOOD * 500)[1]
    assert "assigned to 7 invented ones" in summary.text("mine")


def test_the_first_case_that_holds_applies_and_a_last_one_without_condition_takes_the_rest(tmp_path: Path) -> None:
    mapping = (
        CALLS
        + """
[fields.segment]
cases = [{ when = { who = "ann", outcome = ["menu", "abandoned"] }, value = "lost" },
         { when = { who = "ann" }, value = "kept" }, { column = "who" }]
"""
    )
    content = HEADER + GOOD + GOOD.replace("answered", "menu") + GOOD.replace("ann", "bob")
    _, events = run(
        tmp_path, mapping.replace("[[drop]]", "#").replace("reason = ", "#").replace("where = ", "#"), content
    )
    assert [event["segment"] for event in events] == ["kept", "lost", "bob"]


def test_numbers_booleans_and_joined_columns_are_typed_by_the_contract(tmp_path: Path) -> None:
    mapping = """
topic = "cx.tickets.v1"
zone = "UTC"
time_format = "%Y-%m-%d %H:%M"
[fields]
record_id = { columns = ["a", "b"], join = ":" }
time = { columns = ["day", "hour"] }
change = { column = "c", values = { neu = "opened" }, otherwise = "updated" }
reopens = "n"
approval = "ok"
amount = "sum"
"""
    _, [event] = run(tmp_path, mapping, "a,b,day,hour,c,n,ok,sum\nx,y,2024-02-29,23:59,neu,3,True,12.5\n")
    event.pop("event_id")
    assert event == {
        "record_id": "x:y",
        "time": "2024-02-29T23:59:00Z",
        "change": "opened",
        "reopens": 3,
        "approval": True,
        "amount": 12.5,
        "key": "x:y",
    }
    summary, _ = run(tmp_path, mapping, "a,b,day,hour,c,n,ok,sum\nx,y,2024-02-29,23:59,neu,3.5,True,12.5\n")
    assert summary.rejected == {"wrong_type": 1}
