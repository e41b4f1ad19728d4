"""From a file, plain, .gz or .zip, to its rows, one by one and with their lines; never the whole at once."""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal, cast

import msgspec

from schemas.decoding import MAX_RECORD_BYTES
from streams.errors import ConfigError
from streams.importing.mapping import Plan

Form = Literal["csv", "tsv", "ndjson"]
_ENDINGS: dict[str, Form] = {".tsv": "tsv", ".tab": "tsv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv"}
_NOT_TEXT = ("not_utf8", 'bytes that are not of the encoding; say encoding = "…" in the mapping')
_DAMAGE = (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, RuntimeError, NotImplementedError, UnicodeError)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it begins, its ordinal in its table, its values (a list or an object), its text."""

    line: int
    ordinal: int
    values: Any
    text: bytes


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is none: where, and why."""

    line: int
    reason: str
    detail: str


@dataclass(frozen=True)
class Table:
    """One table of a file: its name for messages, its header (none for NDJSON) and its rows."""

    name: str
    header: list[str] | None
    rows: Iterator[Row | BadRow]
    raw: IO[bytes]
    size: int

    def share(self) -> float:
        """How much of the file has been read, 0…1."""
        return 1.0 if self.raw.closed or not self.size else min(1.0, self.raw.tell() / self.size)


def tables(path: Path, plan: Plan) -> Iterator[Table]:
    """The tables of a file: one, or each member of a zip archive. Read one before asking for the next.

    Raises `ConfigError` when the file is missing, damaged or holds no table.
    """
    with _explained(path), path.open("rb") as raw:
        for name, stream in _members(path, raw):
            # an escaped byte marks the row that holds it; so a bad byte costs one row, not the file
            with io.TextIOWrapper(stream, plan.encoding, errors="surrogateescape", newline="") as text:
                table = _table(name, text, plan, raw, path.stat().st_size)
                yield replace(table, rows=_guarded(path, table.rows))


def _guarded(path: Path, rows: Iterator[Row | BadRow]) -> Iterator[Row | BadRow]:
    with _explained(path):
        yield from rows


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise ConfigError(f"{path}: damaged or not readable as text: {error}; nothing was sent") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; give the path of a readable file") from None


def _members(path: Path, raw: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    magic = raw.read(4)
    raw.seek(0)
    if magic[:2] == b"\x1f\x8b":
        yield path.name.removesuffix(".gz"), cast(IO[bytes], gzip.GzipFile(fileobj=raw))
    elif magic == b"PK\x03\x04":
        with zipfile.ZipFile(raw) as archive:
            names = [name for name in archive.namelist() if not _is_clutter(name)]
            if not names:
                raise ConfigError(f"{path}: an archive without a table; put a CSV, TSV or NDJSON file into it")
            for name in names:
                yield f"{path.name}/{Path(name).name}", archive.open(name)
    else:
        yield path.name, raw


def _is_clutter(name: str) -> bool:
    return name.endswith("/") or name.startswith("__MACOSX/") or Path(name).name.startswith(".")


def _table(name: str, text: io.TextIOWrapper, plan: Plan, raw: IO[bytes], size: int) -> Table:
    first = text.readline(MAX_RECORD_BYTES)
    form = plan.format or _ENDINGS.get(Path(name).suffix.lower()) or _guess(first)
    table = Table(name, None, iter(()), raw, size)
    lines = _Lines(first, text)
    if form == "ndjson":
        if first.lstrip().startswith("["):
            raise ConfigError(f"{name}: a JSON array; write one object a line, for example with jq -c '.[]'")
        return replace(table, rows=_json_rows(lines))
    if not first.strip():
        raise ConfigError(f"{name}: no header in the first line; the mapping finds its columns by their names")
    reader = csv.reader(
        lines,
        delimiter=plan.delimiter or _delimiter(form, first),
        quoting=csv.QUOTE_MINIMAL if plan.quote else csv.QUOTE_NONE,
        quotechar=plan.quote or None,
        strict=True,
    )
    header = _header(name, reader)
    return replace(table, header=header, rows=_csv_rows(reader, lines, len(header)))


def _header(name: str, reader: Iterator[list[str]]) -> list[str]:
    try:
        return [column.strip() for column in next(reader)]
    except csv.Error as error:
        raise ConfigError(f"{name}: the first line is no header: {error}") from None


def _guess(first: str) -> Form:
    return "ndjson" if first.lstrip()[:1] in ("{", "[") else "tsv" if _delimiter("csv", first) == "\t" else "csv"


def _delimiter(form: Form, first: str) -> str:
    return "\t" if form == "tsv" else max(",;\t|", key=first.count)


class _TooLong(csv.Error):
    """A line longer than a record may be; it has been skipped to its end."""


class _Lines:
    """The lines of a text, of which the first has been read already; `number` is that of the last one."""

    def __init__(self, first: str, text: io.TextIOWrapper) -> None:
        self._first: str | None = first
        self._text = text
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line, self._first = self._first, None
        line = self._text.readline(MAX_RECORD_BYTES) if line is None else line
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == MAX_RECORD_BYTES and not line.endswith("\n"):
            while line and not line.endswith("\n"):
                line = self._text.readline(MAX_RECORD_BYTES)
            raise _TooLong(f"longer than {MAX_RECORD_BYTES} characters")
        return line


def _csv_rows(reader: Any, lines: _Lines, width: int) -> Iterator[Row | BadRow]:
    ordinal = 0
    while True:
        line = lines.number + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            ordinal += 1
            reason = "too_large" if isinstance(error, _TooLong) else "malformed"
            yield BadRow(line, reason, f"{error}; skipped to line {lines.number}")
            continue
        if values:
            ordinal += 1
            yield _csv_row(line, ordinal, values, width)


def _csv_row(line: int, ordinal: int, values: list[str], width: int) -> Row | BadRow:
    if len(values) != width:
        return BadRow(
            line, "wrong_width", f"{len(values)} values under {width} columns; quote a value that holds the delimiter"
        )
    try:
        return Row(line, ordinal, values, "\x1f".join(values).encode())
    except UnicodeEncodeError:
        return BadRow(line, *_NOT_TEXT)


def _json_rows(lines: _Lines) -> Iterator[Row | BadRow]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    ordinal = 0
    while True:
        try:
            text = next(lines)
        except StopIteration:
            return
        except _TooLong as error:
            ordinal += 1
            yield BadRow(lines.number, "too_large", str(error))
            continue
        if text.strip():
            ordinal += 1
            yield _json_row(decoder, lines.number, ordinal, text)


def _json_row(decoder: msgspec.json.Decoder[dict[str, Any]], line: int, ordinal: int, text: str) -> Row | BadRow:
    try:
        payload = text.strip().encode()
        return Row(line, ordinal, decoder.decode(payload), payload)
    except UnicodeEncodeError:
        return BadRow(line, *_NOT_TEXT)
    except RecursionError:
        return BadRow(line, "too_deep", "nested too deeply to be a record")
    except msgspec.ValidationError as error:
        return BadRow(line, "not_an_object", str(error))
    except msgspec.DecodeError as error:
        return BadRow(line, "not_json", f"{error}; write one whole object a line")
