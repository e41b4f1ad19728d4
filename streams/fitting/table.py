"""From a file, plain or .gz, to its header and columns of text."""

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
_SAMPLE = 65_536
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Table:
    """One row per customer: `columns[i]` holds the stripped texts under `header[i]`.

    `digest` is the SHA-256 of the file as it lies on disk.
    """

    name: str
    digest: str
    delimiter: str
    header: tuple[str, ...]
    columns: tuple[Sequence[str], ...]

    @property
    def rows(self) -> int:
        """How many customers there are."""
        return len(self.columns[0])


def read_table(path: Path) -> Table:
    """Read CSV, TSV or any of `, ; tab |`, told by the first rows; UTF-8, UTF-16 with its mark, or else cp1252.

    Names of columns that come twice get `#1`, `#2`; one without a name is called after its place.
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
    delimiter = _delimiter(text[:_SAMPLE])
    header, rows = _rows(path, text, delimiter)
    columns = tuple([value.strip() for value in column] for column in zip(*rows, strict=True))
    return Table(path.name, hashlib.sha256(raw).hexdigest(), delimiter, header, columns)


def find_column(table: Table, wanted: str, option: str) -> str:
    """The name in the header that `wanted` means, whatever its case. Raises `ConfigError` listing what there is."""
    if wanted.strip() in table.header:
        return wanted.strip()
    same = [name for name in table.header if name.casefold() == wanted.strip().casefold()]
    if len(same) == 1:
        return same[0]
    raise ConfigError(f"{table.name}: no column {wanted!r} for {option}; there are: {', '.join(table.header)}")


def _decoded(raw: bytes) -> str:
    if raw.startswith(_UTF16):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _delimiter(sample: str) -> str:
    """The delimiter under which the first rows have the most columns, all of them equally many if any does so."""
    return max(_DELIMITERS, key=lambda delimiter: _fit(sample, delimiter))


def _fit(sample: str, delimiter: str) -> tuple[bool, int]:
    try:
        rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row]
    except csv.Error:
        return False, 0
    widths = {len(row) for row in (rows[:-1] if len(sample) == _SAMPLE else rows)}
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
                header = _named(row)
                continue
            _check(path, reader.line_num, row, header, len(rows))
            rows.append(row)
    except csv.Error as error:
        raise ConfigError(f"{path}:{reader.line_num}: not a table: {error}; export it again as CSV") from None
    if not rows:
        raise ConfigError(f"{path}: no rows; give a table with a header and one row per customer")
    return header, rows


def _check(path: Path, line: int, row: list[str], header: tuple[str, ...], rows: int) -> None:
    if len(row) != len(header):
        raise ConfigError(
            f"{path}:{line}: {len(row)} values under {len(header)} columns; "
            "quote a value that holds the delimiter, or take the line out"
        )
    if rows >= MAX_ROWS:
        raise ConfigError(f"{path}: more than {MAX_ROWS:,} rows; a random sample of them says as much")


def _named(header: list[str]) -> tuple[str, ...]:
    names = [name.strip() or f"column {place}" for place, name in enumerate(header, 1)]
    total, seen = Counter(names), Counter[str]()
    for place, name in enumerate(names):
        seen[name] += 1
        names[place] = f"{name}#{seen[name]}" if total[name] > 1 else name
    return tuple(names)
