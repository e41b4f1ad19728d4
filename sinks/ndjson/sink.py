"""The NDJSON sink: each record is a line in a file of its partition, stored once however often it is delivered."""

import errno
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from schemas.decoding import Invalid
from schemas.reject import Reject
from sinks.breaker import Breaker
from sinks.buffer import RecordBuffer
from sinks.dead_letter import not_storable
from sinks.decoding import RecordDecoder
from sinks.errors import SinkError, SinkUnavailable
from sinks.ndjson.line import encode
from sinks.ndjson.segments import SEGMENT_BYTES, Line, store
from sinks.sink import BUFFERED_FLUSHES, Sink, SinkRecord, SinkStatus

_PERMANENT = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENOLCK, errno.ENOTSUP}
)
"""Errors that a person has to mend. Others, such as a full disk, are waited for."""


class NdjsonSink(Sink):
    """Stores each topic as files `<folder>/<topic>/<partition>/000001.ndjson`, `000002.ndjson` and so on.

    `flush_rows` bounds one append and `segment_bytes`, roughly, one file; `now_s` is a monotonic clock in seconds.
    Several processes can share a folder.
    """

    name = "ndjson"
    schemes = ("ndjson",)
    url_example = "ndjson:///folder"

    def __init__(
        self,
        url: str,
        *,
        flush_rows: int = 20_000,
        segment_bytes: int = SEGMENT_BYTES,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.writes = 0
        self._url, self._folder = url, _folder(url)
        self._flush_rows, self._segment_bytes = flush_rows, segment_bytes
        self._breaker = Breaker(now_s)
        self._buffer = RecordBuffer(self.address(url), BUFFERED_FLUSHES * flush_rows, self._breaker)
        self._decoders: dict[str, RecordDecoder] = {}
        self._appends: deque[tuple[Path, list[Line]]] = deque()
        self._rejects: list[Reject] = []
        self._flushing = threading.Lock()

    @classmethod
    def address(cls, url: str) -> str:
        """The folder as a URL. Raises `SinkError` where it is not absolute."""
        return f"ndjson://{_folder(url)}"

    @classmethod
    def check(cls, url: str) -> SinkStatus:
        """Look whether the folder, or the one it would be created in, can be written to. Raises `SinkError`."""
        folder = _folder(url)
        existing = next(path for path in (folder, *folder.parents) if os.path.exists(path))
        _require_writable(existing)
        state = "writable" if existing == folder else "created when the worker starts"
        free_gb = shutil.disk_usage(existing).free / 1e9
        return SinkStatus(True, f"{cls.address(url)}: {state}, {free_gb:.1f} GB free")

    @classmethod
    def require(cls, url: str) -> None:
        """Create the folder. Raises `SinkError` where that fails or it cannot be written to."""
        folder = _folder(url)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _not_writable(folder, error.strerror) from error
        _require_writable(folder)

    def warm(self) -> None:
        """Create the folder. Raises `SinkError` where that fails or it cannot be written to."""
        self.require(self._url)

    def add(self, topic: str, partition: int, records: Sequence[SinkRecord]) -> None:
        """Buffer records of the catalogue's `topic`, without I/O and without decoding them."""
        if topic not in self._decoders:
            self._decoders[topic] = RecordDecoder(topic)
        self._buffer.add(topic, partition, records)

    def flush(self) -> list[Reject]:
        """Append everything that was added, up to the disk; returns the rejects of what is no record of its topic."""
        with self._flushing:
            self._breaker.check()
            self._encode()
            try:
                self._append()
            except SinkUnavailable as error:
                raise self._breaker.failed(str(error)) from error
            except OSError as error:
                raise self._failed(error) from error
            self._breaker.succeeded()
            rejects, self._rejects = self._rejects, []
            return rejects

    def close(self) -> None:
        """Does nothing: no file stays open between two flushes."""

    def _encode(self) -> None:
        for topic, partition, records in self._buffer.take():
            lines: dict[Line, None] = {}  # a partition that came back may have its records in the buffer twice
            for record, decoded in self._decoders[topic].decode(records):
                if isinstance(decoded, Invalid):
                    self._rejects.append(not_storable(topic, partition, record, decoded.field, decoded.detail))
                else:
                    lines[encode(topic, partition, record)] = None
            folder = self._folder / topic / str(partition)
            self._appends.extend((folder, part) for part in _rising(list(lines), self._flush_rows))
            self._buffer.stored(len(records) - len(lines))

    def _append(self) -> None:
        while self._appends:
            folder, lines = self._appends[0]
            store(folder, lines, self._segment_bytes)
            self._appends.popleft()
            self.writes += 1
            self._buffer.stored(len(lines))

    def _failed(self, error: OSError) -> SinkError:
        if error.errno in _PERMANENT:
            return _not_writable(self._folder, error.strerror)
        place = error.filename or self._folder
        return self._breaker.failed(f"{place}: {error.strerror}; free some space, or mount the folder again")


def _rising(lines: Sequence[Line], most: int) -> Iterator[list[Line]]:
    """Parts of at most `most` lines with rising offsets; they fall where a topic was created anew in between."""
    part: list[Line] = []
    for line in lines:
        if part and (len(part) == most or line.offset <= part[-1].offset):
            yield part
            part = []
        part.append(line)
    if part:
        yield part


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    path = unquote(parts.path).rstrip("/")
    if parts.scheme != "ndjson" or parts.netloc or parts.query or parts.fragment or not path.startswith("/"):
        raise SinkError(f"sinks.urls: {url!r} is no absolute folder; write ndjson:///folder, with three slashes")
    return Path(path)


def _require_writable(folder: Path) -> None:
    if not folder.is_dir():
        raise _not_writable(folder, "not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _not_writable(folder, "permission denied")


def _not_writable(folder: Path, reason: str | None) -> SinkError:
    return SinkError(
        f"{folder}: cannot be written to ({reason}); let the user of the worker write there, or correct sinks.urls"
    )
