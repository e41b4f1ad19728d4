"""The rows of a table: from lines of text to values, one row at a time."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from schemas.decoding import MAX_RECORD_BYTES

_NOT_UTF8 = ("not_utf8", 'bytes that are not valid in the encoding; set encoding = "…" in the mapping')


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line where it begins, its number in its table, and its values (a list or an object).

    Both numbers begin at 1. `content` is the row's text as bytes, from which identities are made.
    """

    line_number: int
    row_number: int
    values: Any
    content: bytes


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read: its line, the reason and what to do."""

    line_number: int
    reason: str
    detail: str


class LineReader(Protocol):
    """A text that is read line by line, such as `io.StringIO`."""

    def readline(self, limit: int, /) -> str:
        """The rest of the current line, but at most `limit` characters; empty at the end of the text."""


class LineTooLong(csv.Error):
    """A line longer than a record may be; it has been skipped to its end."""


class NumberedLines:
    """The lines of a text whose first line has been read already.

    `line_number` is that of the line read last, 0 before the first. Raises `LineTooLong`.
    """

    def __init__(self, first: str, text: LineReader) -> None:
        self._first: str | None = first
        self._text = text
        self.line_number = 0

    def __iter__(self) -> "NumberedLines":
        return self

    def __next__(self) -> str:
        line, self._first = self._first, None
        line = self._text.readline(MAX_RECORD_BYTES) if line is None else line
        if not line:
            raise StopIteration
        self.line_number += 1
        if len(line) == MAX_RECORD_BYTES and not line.endswith("\n"):
            self._skip_rest_of_line()
            raise LineTooLong(f"longer than {MAX_RECORD_BYTES} characters")
        return line

    def _skip_rest_of_line(self) -> None:
        part = self._text.readline(MAX_RECORD_BYTES)
        while part and not part.endswith("\n"):
            part = self._text.readline(MAX_RECORD_BYTES)


def csv_rows(reader: Iterator[list[str]], lines: NumberedLines, width: int) -> Iterator[Row | BadRow]:
    """The rows of a CSV reader over `lines`, after its header of `width` columns; empty lines are skipped."""
    row_number = 0
    while True:
        line_number = lines.line_number + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            row_number += 1
            reason = "too_large" if isinstance(error, LineTooLong) else "malformed"
            yield BadRow(line_number, reason, f"{error}; skipped to line {lines.line_number}")
            continue
        if values:
            row_number += 1
            yield _csv_row(line_number, row_number, values, width)


def _csv_row(line_number: int, row_number: int, values: list[str], width: int) -> Row | BadRow:
    if len(values) != width:
        detail = f"{len(values)} values under {width} columns; quote a value that contains the delimiter"
        return BadRow(line_number, "wrong_width", detail)
    try:
        return Row(line_number, row_number, values, "\x1f".join(values).encode())
    except UnicodeEncodeError:
        return BadRow(line_number, *_NOT_UTF8)


def json_rows(lines: NumberedLines) -> Iterator[Row | BadRow]:
    """The rows of NDJSON, one object per line; empty lines are skipped."""
    decoder = msgspec.json.Decoder(dict[str, Any])
    row_number = 0
    while True:
        try:
            text = next(lines)
        except StopIteration:
            return
        except LineTooLong as error:
            row_number += 1
            yield BadRow(lines.line_number, "too_large", str(error))
            continue
        if text.strip():
            row_number += 1
            yield _json_row(decoder, lines.line_number, row_number, text)


def _json_row(
    decoder: msgspec.json.Decoder[dict[str, Any]], line_number: int, row_number: int, text: str
) -> Row | BadRow:
    try:
        content = text.strip().encode()
        return Row(line_number, row_number, decoder.decode(content), content)
    except UnicodeEncodeError:
        return BadRow(line_number, *_NOT_UTF8)
    except RecursionError:
        return BadRow(line_number, "too_deep", "nested too deeply to be a record")
    except msgspec.ValidationError as error:
        return BadRow(line_number, "not_an_object", str(error))
    except msgspec.DecodeError as error:
        return BadRow(line_number, "not_json", f"{error}; write one whole object per line")
