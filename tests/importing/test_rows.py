"""From files to events: formats, row errors by reason with their lines, identities, order."""

import asyncio
import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from streams.errors import ConfigError, MappingError
from streams.importing.mapping_files import load_mapping
from streams.importing.progress import NoProgress
from streams.importing.run import spool_events
from streams.importing.sort import Spool
from streams.importing.summary import ImportSummary

CALLS = """
topic = "cx.calls.v1"
zone = "Europe/Berlin"
time_format = "%Y-%m-%d %H:%M"
missing = ["", "?"]
[fields]
record_id = "id"
time = "at"
outcome = "outcome"
customer = "who"
wait = { column = "wait_ms", unit = "ms" }
[[drop]]
reason = "test-call"
where = { who = ["robot", "tester"] }
"""
HEADER = "id,at,outcome,who,wait_ms\n"
GOOD = "1,2024-05-01 10:00,answered,ann,1500\n"
SURVEYS = """
topic = "cx.surveys.v1"
[fields]
record_id = "form_response.token"
time = "form_response.submitted_at"
customer = "form_response.hidden.user_id"
survey = { value = "web" }
kind = { value = "nps" }
scale = { value = "0-10" }
score = "form_response.answers.0.number"
"""

Result = tuple[ImportSummary, list[dict[str, Any]]]


def run(folder: Path, mapping: str, *contents: str | bytes, name: str = "export.csv") -> Result:
    (folder / "mine.toml").write_text(mapping)
    files = []
    for number, content in enumerate(contents):
        path = folder / f"{number}-{name}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        files.append(path)
    return read_files(folder / "mine.toml", files, folder)


def read_files(mapping: str | Path, files: list[Path], folder: Path) -> Result:
    spool = Spool(folder)
    summary = asyncio.run(spool_events(load_mapping(mapping), files, spool, NoProgress()))
    assert summary.rows == summary.ready + sum(summary.rejected.values()) + sum(summary.dropped.values())
    return summary, [json.loads(event.payload) | {"key": event.key.decode()} for event in spool.merged()]


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


@pytest.mark.parametrize("nobody", ["", "?", "0"])
def test_nobodys_row_is_keyed_by_its_record(tmp_path: Path, nobody: str) -> None:
    _, [event] = run(tmp_path, CALLS, HEADER + GOOD.replace("ann", nobody))
    assert event["key"] == "1"


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ("2,2024-05-01,answered,ann,1", "bad_time", "time: '2024-05-01' is not a time of the format %Y-%m-%d %H:%M"),
        ("2,2024-10-27 02:30,answered,ann,1", "ambiguous_time", "fold ="),
        ("2,2024-03-31 02:30,answered,ann,1", "nonexistent_time", "gap ="),
        ("2,?,answered,ann,1", "missing_field", "time"),
        (",2024-05-01 10:00,answered,ann,1", "missing_field", "record_id"),
        ("2,2024-05-01 10:00,vanished,ann,1", "unknown_value", "outcome"),
        ("2,2024-05-01 10:00,answered,ann,soon", "wrong_type", "wait"),
        ("2,2024-05-01 10:00,answered,ann,nan", "wrong_type", "wait"),
        ("2,2024-05-01 10:00,answered," + "x" * 257 + ",1", "out_of_range", "customer"),
        ("2,2024-05-01 10:00,answered,ann", "wrong_width", "4 values under 5 columns"),
        ("2,2024-05-01 10:00,answered,ann,1,1", "wrong_width", "6 values under 5 columns"),
        ('2,"2024-05-01 10:00"x,answered,ann,1', "malformed", "expected after"),
        ("2,2024-05-01 10:00,answered," + "x" * 200_000 + ",1", "malformed", "field larger than"),
        ("2,2024-05-01 10:00,answered," + "x" * 300_000 + ",1", "too_large", "longer than"),
    ],
)
def test_a_bad_row_is_counted_by_its_reason_with_its_line_and_the_rest_goes_on(
    tmp_path: Path, row: str, reason: str, detail: str
) -> None:
    summary, events = run(tmp_path, CALLS, HEADER + GOOD + row + "\n" + GOOD.replace("1,", "3,", 1))
    assert [event["record_id"] for event in events] == ["1", "3"]
    assert summary.rejected == {reason: 1}
    [example] = summary.examples[reason]
    assert example.startswith("0-export.csv:3: ")
    assert detail in example


def test_bytes_of_another_encoding_cost_one_row_and_the_mapping_can_name_it(tmp_path: Path) -> None:
    content = (HEADER + GOOD.replace("ann", "käthe")).encode("cp1252") + GOOD.encode()
    summary, _ = run(tmp_path, CALLS, content)
    assert summary.rejected == {"not_utf8": 1}
    _, events = run(tmp_path, 'encoding = "cp1252"\n' + CALLS, content)
    assert [event["customer"] for event in events] == ["käthe", "ann"]


def test_an_unclosed_quote_is_reported_and_not_swallowed(tmp_path: Path) -> None:
    summary, events = run(tmp_path, CALLS, HEADER + GOOD + '2,2024-05-01 10:00,answered,"ann,1\n' + GOOD * 3)
    assert len(events) + sum(summary.rejected.values()) == summary.rows
    assert summary.rejected == {"malformed": 1}
    assert "skipped to line 6" in summary.examples["malformed"][0]


def test_only_the_first_examples_of_a_reason_are_kept(tmp_path: Path) -> None:
    summary, _ = run(tmp_path, CALLS, HEADER + "2,2024-05-01,answered,ann,1\n" * 10)
    assert summary.rejected == {"bad_time": 10}
    assert [example.split(":")[1] for example in summary.examples["bad_time"]] == ["2", "3", "4"]


def test_rows_that_are_no_events_are_dropped_under_their_reason(tmp_path: Path) -> None:
    summary, events = run(tmp_path, CALLS, HEADER + GOOD + GOOD.replace("ann", "robot") + GOOD.replace("ann", "tester"))
    assert (summary.rows, len(events), summary.dropped) == (3, 1, {"test-call": 2})


def test_a_column_the_file_lacks_is_an_error_of_the_mapping(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"fields.customer: 0-export.csv has no column 'who'; .*'whom'"):
        run(tmp_path, CALLS, HEADER.replace("who", "whom"))


def test_a_column_name_that_occurs_twice_must_be_numbered(tmp_path: Path) -> None:
    content = HEADER.replace("wait_ms", "who") + "1,2024-05-01 10:00,answered,ann,bob\n"
    mapping = CALLS.replace('wait = { column = "wait_ms", unit = "ms" }\n', "").replace("{ who =", "{ id =")
    with pytest.raises(MappingError, match="it has 2 columns of that name, write who#1 or who#2"):
        run(tmp_path, mapping, content)
    _, [event] = run(tmp_path, mapping.replace('"who"', '"who#2"'), content)
    assert event["customer"] == "bob"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_seen_from_the_header(tmp_path: Path, delimiter: str) -> None:
    _, [event] = run(tmp_path, CALLS, (HEADER + GOOD).replace(",", delimiter), name="export.txt")
    assert event["customer"] == "ann"


def test_a_byte_order_mark_spaces_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    content = (
        b"\xef\xbb\xbf" + (HEADER.replace(",at", ", at ") + GOOD.replace("ann", " ann ")).replace("\n", "\r\n").encode()
    )
    _, [event] = run(tmp_path, CALLS, content + b"\r\n")
    assert (event["record_id"], event["customer"]) == ("1", "ann")


def test_quoted_values_hold_delimiters_and_line_ends_and_lines_are_still_right(tmp_path: Path) -> None:
    content = HEADER + '1,2024-05-01 10:00,answered,"a\nb,c",1\n' + "2,never,answered,ann,1\n"
    summary, [event] = run(tmp_path, CALLS, content)
    assert event["customer"] == "a\nb,c"
    assert summary.examples["bad_time"][0].startswith("0-export.csv:4: ")


def test_gzip_and_zip_are_opened_whatever_their_name(tmp_path: Path) -> None:
    plain = (HEADER + GOOD).encode()
    archive = tmp_path / "archive.bin"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("folder/", "")
        out.writestr("__MACOSX/folder/._a.csv", b"\0")
        out.writestr("folder/a.csv", plain)
        out.writestr("folder/b.tsv", (HEADER + GOOD.replace("1,", "2,", 1)).replace(",", "\t"))
    _, [one] = run(tmp_path, CALLS, gzip.compress(plain), name="export.csv.gz")
    summary, two = run(tmp_path, CALLS, archive.read_bytes(), name="export.dat")
    assert one == two[0]
    assert [event["record_id"] for event in two] == ["1", "2"]
    assert summary.rows == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b"id,at\n" * 100_000)[:-200], "damaged"),
        (b"PK\x03\x04 and nothing more", "damaged"),
        (b"", "no header"),
        (b"\n\n", "no header"),
    ],
)
def test_a_damaged_or_empty_file_is_one_line_and_nothing_is_sent(tmp_path: Path, content: bytes, message: str) -> None:
    mapping = 'topic = "cx.calls.v1"\nzone = "UTC"\n[fields]\ntime = "at"\noutcome = "id"\n'
    with pytest.raises(ConfigError, match=message):
        run(tmp_path, mapping, content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(CALLS)
    with pytest.raises(ConfigError, match=r"gone.csv: No such file"):
        read_files(tmp_path / "mine.toml", [tmp_path / "gone.csv"], tmp_path)


def answer(token: str, user: str | None, score: Any) -> str:
    return (
        json.dumps(
            {
                "form_response": {
                    "token": token,
                    "submitted_at": "2018-01-18T18:17:02Z",
                    "hidden": {"user_id": user},
                    "answers": [{"type": "number", "number": score}],
                }
            }
        )
        + "\n"
    )


def test_objects_are_read_by_paths_with_dots(tmp_path: Path) -> None:
    _, [event, nobody] = run(tmp_path, SURVEYS, answer("a", "ann", 9) + "\n" + answer("b", None, "10"), name="x.ndjson")
    assert (event["record_id"], event["customer"], event["score"]) == ("a", "ann", "9")
    assert nobody["key"] == "b"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not_json"),
        ("[1]", "not_an_object"),
        ("{}", "missing_field"),
        ("[" * 200_000, "not_an_object"),
        (answer("c", "ann", 7.5), "wrong_type"),
        (answer("c", "ann", True), "wrong_type"),
        (answer("c", "ann", 11), "out_of_range"),
        (answer("c", "x" * 300_000, 1), "too_large"),
        ('{"a":' * 40_000, "too_deep"),
    ],
)
def test_a_bad_object_is_counted_by_its_reason_with_its_line(tmp_path: Path, line: str, reason: str) -> None:
    content = answer("a", "ann", 9) + line.rstrip("\n") + "\n" + answer("b", "ann", 8)
    summary, events = run(tmp_path, SURVEYS, content, name="x.jsonl")
    assert [event["record_id"] for event in events] == ["a", "b"]
    assert summary.rejected == {reason: 1}
    assert summary.examples[reason][0].startswith("0-x.jsonl:2: ")


def test_an_array_of_objects_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="jq -c"):
        run(tmp_path, SURVEYS, "[" + answer("a", "ann", 9) + "]", name="x.json")


def test_a_path_that_no_object_has_is_reported(tmp_path: Path) -> None:
    summary, _ = run(
        tmp_path, SURVEYS.replace("hidden.user_id", "hidden.userid"), answer("a", "ann", 9), name="x.ndjson"
    )
    assert summary.unseen_columns == ["form_response.hidden.userid"]
    assert "check these names" in summary.text("mine")


def test_events_come_in_order_of_time_and_equal_times_in_order_of_the_files(tmp_path: Path) -> None:
    def row(number: int, minute: int) -> str:
        return f"{number},2024-05-01 10:{minute:02},answered,ann,1\n"

    first, second = HEADER + row(1, 30) + row(2, 10) + row(3, 10), HEADER + row(4, 10) + row(5, 0)
    summary, events = run(tmp_path, CALLS, first, second)
    assert [event["record_id"] for event in events] == ["5", "2", "3", "4", "1"]
    assert summary.first_time is not None
    assert summary.last_time is not None
    assert f"{summary.first_time:%H:%M} {summary.last_time:%H:%M}" == "08:00 08:30"


def test_the_same_file_makes_the_same_identities_and_distinct_rows_distinct_ones(tmp_path: Path) -> None:
    without = CALLS.replace('record_id = "id"\n', "")
    content = HEADER + GOOD * 2 + GOOD.replace("ann", "bob")
    once, again, appended = (run(tmp_path, without, text)[1] for text in (content, content, content + GOOD))
    assert once == again == appended[:3]
    assert len({event["record_id"] for event in appended}) == 4
    assert all(event["record_id"] == event["event_id"] for event in once)


def test_changes_of_one_record_have_events_of_their_own_wherever_they_stand(tmp_path: Path) -> None:
    content = HEADER + GOOD + GOOD.replace("answered", "menu")
    _, events = run(tmp_path, CALLS, content)
    _, moved = run(tmp_path, CALLS, HEADER + GOOD.replace("answered", "menu") + GOOD)
    assert len({event["event_id"] for event in events}) == 2
    assert {event["event_id"] for event in events} == {event["event_id"] for event in moved}


def test_invented_customers_are_the_same_each_time_and_said_to_be_invented(tmp_path: Path) -> None:
    mapping = CALLS.replace('customer = "who"\n', "") + "[customers]\ninvent = 7\n"
    summary, events = run(tmp_path, mapping, HEADER + GOOD * 500)
    assert {event["customer"] for event in events} == {f"invented-{n}" for n in range(1, 8)}
    assert events == run(tmp_path, mapping, HEADER + GOOD * 500)[1]
    assert "assigned to 7 invented ones" in summary.text("mine")


def test_cases_are_taken_in_order_and_a_last_one_without_condition_takes_the_rest(tmp_path: Path) -> None:
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


def test_numbers_flags_and_joined_columns_are_typed_by_the_contract(tmp_path: Path) -> None:
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
