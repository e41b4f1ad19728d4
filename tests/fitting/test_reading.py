"""Tables as people have them: delimiters, byte order marks, encodings, blanks, and numbers in many spellings."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from streams.errors import ConfigError
from streams.fitting.columns import Categorical, Numeric, as_column
from streams.fitting.labels import read_labels
from streams.fitting.table import Table, read_table


def table_of(folder: Path, content: bytes, name: str = "table.csv") -> Table:
    (folder / name).write_bytes(content)
    return read_table(folder / name)


def numbers(*texts: str, prefer_comma: bool = False) -> list[float]:
    column, _ = as_column("x", texts, prefer_comma)
    assert isinstance(column, Numeric)
    return [float(value) for value in column.values]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_delimiter_is_recognised_from_the_rows(tmp_path: Path, delimiter: str, end: str) -> None:
    lines = [["a, b; c", "d"], ["1", "x,y;z|t\tu"], ["2", ""]]
    text = end.join(delimiter.join(f'"{value}"' for value in line) for line in lines)
    table = table_of(tmp_path, text.encode())
    assert table.header == ("a, b; c", "d")
    assert [list(column) for column in table.columns] == [["1", "2"], ["x,y;z|t\tu", ""]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_is_recognised_from_the_bytes(tmp_path: Path, encoding: str) -> None:
    table = table_of(tmp_path, "größe,left\n1,nein\n2,ja\n".encode(encoding))
    assert table.header == ("größe", "left")


def test_a_gz_file_is_the_same_table(tmp_path: Path) -> None:
    content = b"a,b\n1,2\n"
    plain, packed = table_of(tmp_path, content), table_of(tmp_path, gzip.compress(content), "table.csv.gz")
    assert (plain.header, list(plain.columns)) == (packed.header, list(packed.columns))


def test_columns_of_the_same_name_are_numbered_and_nameless_ones_called_by_position(tmp_path: Path) -> None:
    assert table_of(tmp_path, b",a,a,b\n0,1,2,3\n").header == ("column 1", "a#1", "a#2", "b")


def test_blank_lines_are_no_customers(tmp_path: Path) -> None:
    assert table_of(tmp_path, b"a,b\n\n1,2\n,\n3,4\n\n").rows == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n3\n4,5\n", ":3: 1 values under 2 columns"),
        (b"a,b\n", "no rows"),
        (b"", "no rows"),
        (b"PK\x03\x04rest", "an archive or a workbook"),
        (b"\x1f\x8b\x08\x00broken", "damaged"),
        (b'a,b\n1,"' + b"2" * 200_000 + b'"\n', ":2: not a table: field larger than"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match="export|quote|give|unpack") as refused:
        table_of(tmp_path, content)
    assert message in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.csv: No such file"):
        read_table(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (("1", "-2.5", "+3", ".5", "1e3"), [1, -2.5, 3, 0.5, 1000]),
        (("1,234", "12", "1,234,567.5"), [1234, 12, 1234567.5]),
        (("1.234,5", "0,25", "7"), [1234.5, 0.25, 7]),
        (("1 234", "1'234.5", "1\u00a0234\u202f567"), [1234, 1234.5, 1234567]),
        (("12%", "3.5 %", "0%"), [12, 3.5, 0]),
        (("$1,200.50", "€ 3", "7 €"), [1200.5, 3, 7]),
    ],
)
def test_numbers_are_read_as_they_are_written(texts: tuple[str, ...], values: list[float]) -> None:
    assert numbers(*texts) == values


def test_a_comma_alone_is_decided_by_the_delimiter() -> None:
    assert numbers("1,234", "5,678") == [1234, 5678]
    assert numbers("1,234", "5,678", prefer_comma=True) == [1.234, 5.678]


@pytest.mark.parametrize("text", ["", "NA", "n/a", "?", "NULL", "nan", "-"])
def test_texts_that_mean_no_value_are_missing_in_numbers_and_categories(text: str) -> None:
    assert np.isnan(numbers("1", text, "2")).tolist() == [False, True, False]
    column, _ = as_column("x", ["red", text, "blue"])
    assert isinstance(column, Categorical)
    assert column.codes.tolist() == [1, -1, 0]


def test_a_stray_word_among_numbers_is_missing_and_noted() -> None:
    column, note = as_column("x", [*map(str, range(99)), "approx. 7"])
    assert isinstance(column, Numeric)
    assert np.isnan(column.values[-1])
    assert note == "x: 1 values are not numbers ('approx. 7') and count as missing"


def test_words_beside_a_few_numbers_are_categories() -> None:
    column, note = as_column("x", ["1", "2", "many", "many"])
    assert isinstance(column, Categorical)
    assert (column.levels, note) == (("1", "2", "many"), None)


@pytest.mark.parametrize(
    ("stayed", "left"),
    [
        ("False.", "True."),
        ("no", "Yes"),
        ("0", "1"),
        ("0.0", "1.0"),
        ("-1", "1"),
        ("Existing Customer", "Attrited Customer"),
        ("stayed", "CHURNED"),
        ("active", "Cancelled"),
        ("Nein", "Ja"),
    ],
)
def test_the_label_of_leavers_is_recognised_and_noted(stayed: str, left: str) -> None:
    labels = read_labels("gone", [stayed] * 90 + [left] * 20, None)
    assert labels.positive == left
    assert labels.values.sum() == 20
    assert repr(left) in labels.notes[0]


def test_rows_without_a_label_are_left_out_and_noted() -> None:
    labels = read_labels("gone", ["no"] * 90 + ["", "NA", "?"] + ["yes"] * 20, None)
    assert len(labels.rows) == len(labels.values) == 110
    assert "gone: 3 rows without a label are left out" in labels.notes
