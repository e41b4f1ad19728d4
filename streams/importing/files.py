"""From a file, plain, .gz or .zip, to its tables; a file is never in memory as a whole."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, cast

from streams.errors import ConfigError
from streams.importing.mapping import Mapping
from streams.importing.rows import BadRow, Row
from streams.importing.tables import Table, read_table

_DAMAGE = (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, RuntimeError, NotImplementedError, UnicodeError)


@dataclass(frozen=True, slots=True)
class FileTable:
    """A table in an open file of `size_bytes`."""

    table: Table
    raw: IO[bytes]
    size_bytes: int

    def fraction_read(self) -> float:
        """How much of the file has been read, 0…1."""
        return 1.0 if self.raw.closed or not self.size_bytes else min(1.0, self.raw.tell() / self.size_bytes)


def read_tables(path: Path, mapping: Mapping) -> Iterator[FileTable]:
    """The tables of a file: one, or each member of a zip archive. Read each to its end before asking for the next.

    Raises `ConfigError` when the file is missing or damaged, or contains no table.
    """
    with _explained(path), path.open("rb") as raw:
        for name, stream in _members(path, raw):
            # surrogateescape marks bytes of another encoding, so that they cost their row and not the whole file.
            with io.TextIOWrapper(stream, mapping.encoding, errors="surrogateescape", newline="") as text:
                table = read_table(name, text, mapping)
                yield FileTable(replace(table, rows=_guarded(path, table.rows)), raw, path.stat().st_size)


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
        yield from _archive_members(path, raw)
    else:
        yield path.name, raw


def _archive_members(path: Path, raw: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(raw) as archive:
        names = [name for name in archive.namelist() if not _is_metadata(name)]
        if not names:
            raise ConfigError(f"{path}: the archive contains no table; put a CSV, TSV or NDJSON file into it")
        for name in names:
            yield f"{path.name}/{Path(name).name}", archive.open(name)


def _is_metadata(name: str) -> bool:
    return name.endswith("/") or name.startswith("__MACOSX/") or Path(name).name.startswith(".")
