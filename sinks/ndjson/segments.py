"""The files of one partition: lines are appended, each once, and are on the disk when `store` returns.

A partition's folder holds segments `000001.ndjson`, `000002.ndjson` and so on; only the newest one grows. The offsets
in a segment rise. A process that is killed leaves at most a last line without its end, which the next `store` cuts off.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sinks.errors import SinkError, SinkUnavailable

SEGMENT_BYTES = 128 * 2**20
"""A segment that has reached this size is complete: the next lines go into a new one."""

_BLOCK_BYTES = 64 * 1024
_NAME = re.compile(r"(\d{6,})\.ndjson")
_ADDRESS = re.compile(rb'\{"topic":"[^"]*","partition":\d+,"offset":(\d+),')


class Line(NamedTuple):
    """One line without its end, which begins with topic, partition and offset."""

    offset: int
    text: bytes


def store(folder: Path, lines: Sequence[Line], segment_bytes: int = SEGMENT_BYTES) -> None:
    """Append the lines that the folder does not hold; their offsets must rise.

    A line whose offset is already there with another content belongs to a topic that was created anew,
    where offsets begin again; it goes into a new segment. Processes that share a folder wait for each
    other: the second one gets `SinkUnavailable`. Raises `OSError` as the file system does.
    """
    with _locked(folder):
        segments = _segments(folder)
        last_offset = _offsets(segments[-1])[1] if segments else -1
        stored = _stored(segments, lines, last_offset)
        new = [line for line in lines if line.text not in stored]
        if new:
            full = not segments or new[0].offset <= last_offset or segments[-1].stat().st_size >= segment_bytes
            _append(_next(folder, segments) if full else segments[-1], new)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    _make(folder)
    with (folder / ".lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SinkUnavailable(f"{folder}: another process is writing there") from None
        yield


def _make(folder: Path) -> None:
    """Create the folders of topic and partition, but not the root: an absent one may be a disk that is not mounted."""
    for made in (folder.parent, folder):
        if not made.exists():
            made.mkdir(exist_ok=True)
            _sync(made.parent)


def _segments(folder: Path) -> list[Path]:
    """The segments by number, all complete up to the last byte; without an empty one."""
    numbered = [(int(found[1]), path) for path in folder.iterdir() if (found := _NAME.fullmatch(path.name))]
    segments = [path for _, path in sorted(numbered)]
    while segments and not _cut_torn_line(segments[-1]):
        segments.pop().unlink()
    return segments


def _cut_torn_line(segment: Path) -> int:
    """Cut off a last line without its end; returns the size that remains."""
    with segment.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        complete = _line_begin(file, size)
        if complete < size:
            file.truncate(complete)
        return complete


def _line_begin(file: BinaryIO, end: int) -> int:
    """Where the line begins that has its last byte before `end`."""
    while end:
        begin = max(0, end - _BLOCK_BYTES)
        file.seek(begin)
        found = file.read(end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _offsets(segment: Path) -> tuple[int, int]:
    """The first and the last offset of a segment."""
    with segment.open("rb") as file:
        first = file.readline()
        size = file.seek(0, os.SEEK_END)
        file.seek(_line_begin(file, size - 1))
        return _offset(segment, first), _offset(segment, file.readline())


def _offset(segment: Path, line: bytes) -> int:
    found = _ADDRESS.match(line)
    if found is None:
        raise SinkError(f"{segment}: a line was not written by this sink; move the file elsewhere")
    return int(found[1])


def _stored(segments: Sequence[Path], lines: Sequence[Line], last_offset: int) -> set[bytes]:
    """Those of the lines that the segments hold, made durable: a killed process may not have got to that.

    The search goes back until it has found every line that is not newer than `last_offset`, so without
    such a line it reads nothing.
    """
    repeated = {line.text for line in lines if line.offset <= last_offset}
    texts, found = {line.text for line in lines}, set[bytes]()
    for segment in reversed(segments):
        if repeated <= found:
            break
        first, last = _offsets(segment)
        if first <= lines[-1].offset and lines[0].offset <= last:
            with segment.open("rb") as file:
                found |= texts.intersection(line[:-1] for line in file)
            _sync(segment)
    return found


def _next(folder: Path, segments: Sequence[Path]) -> Path:
    number = int(segments[-1].stem) + 1 if segments else 1
    segment = folder / f"{number:06d}.ndjson"
    segment.touch(exist_ok=False)
    _sync(folder)
    return segment


def _append(segment: Path, lines: Sequence[Line]) -> None:
    with segment.open("ab", buffering=0) as file:
        rest = memoryview(b"".join([line.text + b"\n" for line in lines]))
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
