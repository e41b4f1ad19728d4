"""A full disk is waited for, a folder that cannot be used is named with its fix, and a kill doubles nothing."""

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sinks.errors import SinkError, SinkUnavailable
from sinks.ndjson import sink as module
from sinks.ndjson.sink import NdjsonSink
from tests.sinks.given import surveys
from tests.sinks.stores import FolderStore

ROOT = Path(__file__).parents[3]
TOPIC = "cx.surveys.v1"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def sink(store: FolderStore, now: list[float]) -> NdjsonSink:
    made = NdjsonSink(store.url, now_s=lambda: now[0])
    made.warm()
    return made


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """As on a full disk, a write stores what has room and the next one fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def offsets(store: FolderStore) -> list[int]:
    return [offset for _, offset, _ in store.surveys()]


def failing(number: int) -> Callable[..., None]:
    def fail(*args: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_a_disk_that_is_full_is_waited_for_and_nothing_is_lost_or_doubled(
    sink: NdjsonSink, store: FolderStore, now: list[float]
) -> None:
    sink.add(TOPIC, 0, surveys(0, 10))
    sink.flush()
    sink.add(TOPIC, 0, surveys(10, 200))
    with files_no_larger_than(8_000), pytest.raises(SinkUnavailable, match="File too large; free some space") as full:
        sink.flush()
    sink.add(TOPIC, 0, surveys(200, 210))
    with pytest.raises(SinkUnavailable):
        sink.flush()  # the pause is not over
    now[0] += full.value.retry_after
    assert sink.flush() == []
    assert offsets(store) == list(range(210))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOENT])
def test_errors_that_may_pass_are_waited_for(
    number: int, sink: NdjsonSink, monkeypatch: pytest.MonkeyPatch, store: FolderStore, now: list[float]
) -> None:
    sink.add(TOPIC, 0, surveys(0, 10))
    with monkeypatch.context() as patched:
        patched.setattr(module, "store", failing(number))
        with pytest.raises(SinkUnavailable, match=os.strerror(number)):
            sink.flush()
    now[0] = 60.0
    sink.flush()
    assert offsets(store) == list(range(10))


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.ENOLCK])
def test_errors_that_a_person_has_to_mend_name_the_folder_and_the_fix(
    number: int, sink: NdjsonSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink.add(TOPIC, 0, surveys(0, 10))
    monkeypatch.setattr(module, "store", failing(number))
    with pytest.raises(
        SinkError, match=r"/store: cannot be written to \(.+\); let the user .*correct sinks.urls"
    ) as error:
        sink.flush()
    assert not isinstance(error.value, SinkUnavailable)


def test_a_folder_that_vanishes_is_waited_for_and_not_created_elsewhere(
    sink: NdjsonSink, store: FolderStore, tmp_path: Path, now: list[float]
) -> None:
    (tmp_path / "store").rename(tmp_path / "unmounted")
    sink.add(TOPIC, 0, surveys(0, 10))
    with pytest.raises(SinkUnavailable, match="No such file or directory; free some space, or mount the folder again"):
        sink.flush()
    (tmp_path / "unmounted").rename(tmp_path / "store")
    now[0] = 60.0
    sink.flush()
    assert offsets(store) == list(range(10))


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for url in (f"ndjson://{tmp_path}/file", f"ndjson://{tmp_path}/file/below"):
        for use in (NdjsonSink.check, NdjsonSink.require):
            with pytest.raises(SinkError, match=r"cannot be written to \((not a folder|Not a directory|File exists)\)"):
                use(url)


def test_check_changes_nothing_and_require_creates_the_folder(tmp_path: Path) -> None:
    url = f"ndjson://{tmp_path}/a/b%20c"
    ready, text = NdjsonSink.check(url)
    assert ready
    assert text.startswith(f"ndjson://{tmp_path}/a/b c: created when the worker starts, ")
    assert list(tmp_path.iterdir()) == []
    NdjsonSink.require(url)
    assert (tmp_path / "a" / "b c").is_dir()
    assert f"{tmp_path}/a/b c: writable, " in NdjsonSink.check(url).text


@pytest.mark.parametrize("rest", ["", "/", "///", "//host/folder", "///folder?x=1", "folder"])
def test_a_folder_must_be_absolute(rest: str) -> None:
    with pytest.raises(SinkError, match=r"sinks\.urls: .* is no absolute folder; write ndjson:///folder"):
        NdjsonSink.address(f"ndjson:{rest}")


_KILLED_IN_A_WRITE = """
import os, resource, signal, sys
from sinks.errors import SinkUnavailable
from sinks.ndjson.sink import NdjsonSink
from tests.sinks.given import surveys
url, begin, end, limit = sys.argv[1], *map(int, sys.argv[2:])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sink = NdjsonSink(url, flush_rows=50)
sink.warm()
sink.add("cx.surveys.v1", 0, surveys(begin, end))
try:
    sink.flush()
except SinkUnavailable:
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.io
def test_a_kill_in_the_middle_of_a_write_loses_and_doubles_nothing_after_redelivery(store: FolderStore) -> None:
    torn = 0
    for limit in (5_001, 10_010, 20_500, 60_003):
        arguments = [sys.executable, "-c", _KILLED_IN_A_WRITE, store.url, "0", "400", str(limit)]
        ended = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        (segment,) = Path(store.url.removeprefix("ndjson://")).glob("cx.surveys.v1/0/*.ndjson")
        torn += not segment.read_bytes().endswith(b"\n")
    assert torn == 4
    sink = NdjsonSink(store.url)
    sink.add(TOPIC, 0, surveys(0, 400))
    sink.flush()
    assert offsets(store) == list(range(400))
