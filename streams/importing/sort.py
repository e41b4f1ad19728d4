"""External merge sort: any number of events in order of their time, in bounded memory."""

import heapq
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

RUN_BYTES = 48 * 1024 * 1024
"""Size of one sorted run, which is also the memory that the sort uses."""
MAX_RUNS = 64
_HEAD = struct.Struct("<qQII")
_OVERHEAD_BYTES = 300


class SpooledEvent(NamedTuple):
    """One event on its way to the topic: its time, its position in the import, its message key and its JSON."""

    time_ms: int
    position: int
    key: bytes
    payload: bytes


class Spool:
    """Takes events in any order and returns them by time, then by position, which must be unique.

    Keeps about `run_bytes` in memory and sorted runs of that size in `folder`. There are never more
    than `max_runs` runs, so no more files than that are open at once.
    """

    def __init__(self, folder: Path, run_bytes: int = RUN_BYTES, max_runs: int = MAX_RUNS) -> None:
        self._folder, self._run_bytes, self._max_runs = folder, run_bytes, max_runs
        self._buffer: list[SpooledEvent] = []
        self._buffer_bytes = 0
        self._runs: list[Path] = []
        self._runs_written = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, event: SpooledEvent) -> None:
        """Take one event; writes a run to disk when the buffer is full."""
        self._buffer.append(event)
        self._count += 1
        self._buffer_bytes += len(event.key) + len(event.payload) + _OVERHEAD_BYTES
        if self._buffer_bytes >= self._run_bytes:
            self._spill()

    def merged(self) -> Iterator[SpooledEvent]:
        """All events in order; call it once, after the last `add`."""
        self._buffer.sort()
        yield from heapq.merge(self._buffer, *map(_read, self._runs))

    def _spill(self) -> None:
        self._buffer.sort()
        self._runs.append(self._write(self._buffer))
        self._buffer, self._buffer_bytes = [], 0
        if len(self._runs) == self._max_runs:
            merged = self._write(heapq.merge(*map(_read, self._runs)))
            for run in self._runs:
                run.unlink()
            self._runs = [merged]

    def _write(self, events: Iterable[SpooledEvent]) -> Path:
        self._runs_written += 1
        path = self._folder / f"run-{self._runs_written}"
        with path.open("wb", buffering=1 << 18) as out:
            for time_ms, position, key, payload in events:
                out.write(_HEAD.pack(time_ms, position, len(key), len(payload)))
                out.write(key)
                out.write(payload)
        return path


def _read(path: Path) -> Iterator[SpooledEvent]:
    with path.open("rb", buffering=1 << 16) as run:
        while head := run.read(_HEAD.size):
            yield _event(run, head)


def _event(run: BinaryIO, head: bytes) -> SpooledEvent:
    time_ms, position, key_bytes, payload_bytes = _HEAD.unpack(head)
    return SpooledEvent(time_ms, position, run.read(key_bytes), run.read(payload_bytes))
