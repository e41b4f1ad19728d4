"""A table read from a file, plain or .gz: its header and its columns of text."""

import codecs
import csv
import gzip
import hashlib
import io
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.errors import ConfigError

MAX_ROWS = 200_000
_DELIMITERS = ",;\t|"
_SAMPLE_CHARS = 65_536
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Table:
    """One row per customer: `columns[i]` holds the stripped texts under `header[i]`.

    `sha256` is the digest of the file as it is on disk, in hexadecimal.
    """

    name: str
    sha256: str
    delimiter: str
    header: tuple[str, ...]
    columns: tuple[Sequence[str], ...]

    @property
    def rows(self) -> int:
        """The number of customers."""
        return len(self.columns[0])


def read_table(path: Path) -> Table:
    """Read a table whose delimiter, one of `, ; tab |`, is recognised from the first rows.

    The encoding is UTF-8, UTF-16 with its byte order mark, or else cp1252. Columns of the same name get `#1` and
    `#2`; a column without a name is called after its position.
    Raises `ConfigError` for a file that is missing, damaged, empty, ragged or longer than `MAX_ROWS`.
    """
    try:
        raw = path.read_bytes()
        text = _decoded(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeError) as error:
        raise ConfigError(f"{path}: damaged: {error}; export the table again") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; give the path of a readable file") from None
    if raw[:4] == b"PK\x03\x04":
        raise ConfigError(f"{path}: an archive or a workbook; unpack it, or save the sheet as CSV")
    delimiter = _delimiter(text[:_SAMPLE_CHARS])
    header, rows = _rows(path, text, delimiter)
    columns = tuple([value.strip() for value in column] for column in zip(*rows, strict=True))
    return Table(path.name, hashlib.sha256(raw).hexdigest(), delimiter, header, columns)


def find_column(table: Table, given: str, option: str) -> str:
    """The name in the header that the user gave, whatever its case. Raises `ConfigError` listing all columns."""
    if given.strip() in table.header:
        return given.strip()
    same = [name for name in table.header if name.casefold() == given.strip().casefold()]
    if len(same) == 1:
        return same[0]
    raise ConfigError(f"{table.name}: no column {given!r} for {option}; there are: {', '.join(table.header)}")


def _decoded(raw: bytes) -> str:
    if raw.startswith(_UTF16):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _delimiter(sample: str) -> str:
    """The delimiter that gives every row the same number of columns, at least two; of several, the most columns."""
    return max(_DELIMITERS, key=lambda delimiter: _regularity(sample, delimiter))


def _regularity(sample: str, delimiter: str) -> tuple[bool, int]:
    try:
        rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row]
    except csv.Error:
        return False, 0
    widths = {len(row) for row in (rows[:-1] if len(sample) == _SAMPLE_CHARS else rows)}
    return len(widths) == 1 and max(widths) > 1, len(rows[0]) if rows else 0


def _rows(path: Path, text: str, delimiter: str) -> tuple[tuple[str, ...], list[list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header: tuple[str, ...] = ()
    rows: list[list[str]] = []
    try:
        for row in reader:
            if not any(value.strip() for value in row):
                continue
            if not header:
                header = _column_names(row)
                continue
            _check_row(path, reader.line_num, row, header, len(rows))
            rows.append(row)
    except csv.Error as error:
        raise ConfigError(f"{path}:{reader.line_num}: not a table: {error}; export it again as CSV") from None
    if not rows:
        raise ConfigError(f"{path}: no rows; give a table with a header and one row per customer")
    return header, rows


def _check_row(path: Path, line: int, row: list[str], header: tuple[str, ...], rows: int) -> None:
    if len(row) != len(header):
        raise ConfigError(
            f"{path}:{line}: {len(row)} values under {len(header)} columns; "
            "quote a value that holds the delimiter, or delete the line"
        )
    if rows >= MAX_ROWS:
        raise ConfigError(f"{path}: more than {MAX_ROWS:,} rows; give a random sample of them")


def _column_names(header: list[str]) -> tuple[str, ...]:
    names = [name.strip() or f"column {position}" for position, name in enumerate(header, 1)]
    total, seen = Counter(names), Counter[str]()
    for position, name in enumerate(names):
        seen[name] += 1
        names[position] = f"{name}#{seen[name]}" if total[name] > 1 else name
    return tuple(names)
