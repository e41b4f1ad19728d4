"""External merge sort: any number of events in order of their time, in bounded memory."""

import heapq
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

RUN_BYTES = 48 * 1024 * 1024
FAN_IN = 64
_HEAD = struct.Struct("<qQII")
_OVERHEAD = 300


class Entry(NamedTuple):
    """One event on its way: its time in milliseconds, its place in the files, key and payload."""

    time_ms: int
    ordinal: int
    key: bytes
    payload: bytes


class Spool:
    """Takes entries in any order and gives them back by time, then by ordinal (which must be unique).

    Keeps about `run_bytes` in memory and sorted runs of that size in `folder`; never more than
    `fan_in` runs are open at once.
    """

    def __init__(self, folder: Path, run_bytes: int = RUN_BYTES, fan_in: int = FAN_IN) -> None:
        self._folder, self._run_bytes, self._fan_in = folder, run_bytes, fan_in
        self._buffer: list[Entry] = []
        self._bytes = 0
        self._runs: list[Path] = []
        self._written = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, entry: Entry) -> None:
        """Take one entry; writes a run to disk when the memory allowed is used up."""
        self._buffer.append(entry)
        self._count += 1
        self._bytes += len(entry.key) + len(entry.payload) + _OVERHEAD
        if self._bytes >= self._run_bytes:
            self._spill()

    def merged(self) -> Iterator[Entry]:
        """All entries in order; to be read once, after the last `add`."""
        self._buffer.sort()
        yield from heapq.merge(self._buffer, *map(_read, self._runs))

    def _spill(self) -> None:
        self._buffer.sort()
        self._runs.append(self._write(self._buffer))
        self._buffer, self._bytes = [], 0
        if len(self._runs) == self._fan_in:
            merged = self._write(heapq.merge(*map(_read, self._runs)))
            for run in self._runs:
                run.unlink()
            self._runs = [merged]

    def _write(self, entries: Iterable[Entry]) -> Path:
        self._written += 1
        path = self._folder / f"run-{self._written}"
        with path.open("wb", buffering=1 << 18) as out:
            for time_ms, ordinal, key, payload in entries:
                out.write(_HEAD.pack(time_ms, ordinal, len(key), len(payload)))
                out.write(key)
                out.write(payload)
        return path


def _read(path: Path) -> Iterator[Entry]:
    with path.open("rb", buffering=1 << 16) as run:
        while head := run.read(_HEAD.size):
            yield _entry(run, head)


def _entry(run: BinaryIO, head: bytes) -> Entry:
    time_ms, ordinal, key, payload = _HEAD.unpack(head)
    return Entry(time_ms, ordinal, run.read(key), run.read(payload))
