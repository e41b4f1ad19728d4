"""From files to rows: formats, encodings, archives, and errors by reason with their lines."""

import gzip
import zipfile
from pathlib import Path

import pytest

from streams.errors import ConfigError, MappingError
from tests.importing.exports import CALLS, GOOD, HEADER, SURVEYS, answer, read_files, run


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


def test_bytes_of_another_encoding_reject_one_row_and_the_mapping_can_name_the_encoding(tmp_path: Path) -> None:
    content = (HEADER + GOOD.replace("ann", "käthe")).encode("cp1252") + GOOD.encode()
    summary, _ = run(tmp_path, CALLS, content)
    assert summary.rejected == {"not_utf8": 1}
    _, events = run(tmp_path, 'encoding = "cp1252"\n' + CALLS, content)
    assert [event["customer"] for event in events] == ["käthe", "ann"]


def test_an_unclosed_quote_is_reported_with_the_lines_it_covers(tmp_path: Path) -> None:
    summary, events = run(tmp_path, CALLS, HEADER + GOOD + '2,2024-05-01 10:00,answered,"ann,1\n' + GOOD * 3)
    assert len(events) + sum(summary.rejected.values()) == summary.rows
    assert summary.rejected == {"malformed": 1}
    assert "skipped to line 6" in summary.examples["malformed"][0]


def test_only_the_first_examples_of_a_reason_are_kept(tmp_path: Path) -> None:
    summary, _ = run(tmp_path, CALLS, HEADER + "2,2024-05-01,answered,ann,1\n" * 10)
    assert summary.rejected == {"bad_time": 10}
    assert [example.split(":")[1] for example in summary.examples["bad_time"]] == ["2", "3", "4"]


def test_a_column_that_the_file_lacks_is_a_mapping_error(tmp_path: Path) -> None:
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
def test_the_delimiter_is_detected_from_the_header(tmp_path: Path, delimiter: str) -> None:
    _, [event] = run(tmp_path, CALLS, (HEADER + GOOD).replace(",", delimiter), name="export.txt")
    assert event["customer"] == "ann"


def test_a_byte_order_mark_spaces_and_windows_line_ends_are_ignored(tmp_path: Path) -> None:
    content = (
        b"\xef\xbb\xbf" + (HEADER.replace(",at", ", at ") + GOOD.replace("ann", " ann ")).replace("\n", "\r\n").encode()
    )
    _, [event] = run(tmp_path, CALLS, content + b"\r\n")
    assert (event["record_id"], event["customer"]) == ("1", "ann")


def test_quoted_values_may_contain_delimiters_and_line_ends_and_line_numbers_stay_right(tmp_path: Path) -> None:
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
def test_a_damaged_or_empty_file_is_a_config_error(tmp_path: Path, content: bytes, message: str) -> None:
    mapping = 'topic = "cx.calls.v1"\nzone = "UTC"\n[fields]\ntime = "at"\noutcome = "id"\n'
    with pytest.raises(ConfigError, match=message):
        run(tmp_path, mapping, content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(CALLS)
    with pytest.raises(ConfigError, match=r"gone.csv: No such file"):
        read_files(tmp_path / "mine.toml", [tmp_path / "gone.csv"], tmp_path)


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


def test_an_array_of_objects_is_refused_with_a_command_that_converts_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="jq -c"):
        run(tmp_path, SURVEYS, "[" + answer("a", "ann", 9) + "]", name="x.json")
