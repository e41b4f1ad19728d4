"""The check of the database names its state, and every failure with its fix."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.clickhouse.address import parse_url
from sinks.clickhouse.check import check
from sinks.clickhouse.migrate import migrate, migrations
from sinks.errors import SinkError
from tests.support.clickhouse_front import PASSWORD, ClickHouseFront

pytestmark = pytest.mark.io


def test_a_migrated_database_is_named_with_version_and_last_migration(url: str) -> None:
    ready, text = check(url)
    assert ready
    assert text.startswith(("chDB 2", "ClickHouse 2"))
    assert text.endswith(f"at {parse_url(url)}: {migrations()[-1].name}")


def test_a_database_that_is_not_migrated_is_a_state_with_its_remedy(empty_url: str, database: str) -> None:
    ready, text = check(empty_url.replace(database, "default"))
    assert not ready
    assert text.endswith("not migrated, run `cxstream migrate` for 0001_tables")


def test_a_missing_database_is_named_with_its_remedy(empty_url: str) -> None:
    with pytest.raises(SinkError, match="there is no such database; run `cxstream migrate`, or correct clickhouse.url"):
        check(empty_url)


def test_a_wrong_password_is_named_and_never_shown(front: ClickHouseFront) -> None:
    with pytest.raises(SinkError, match="user 'cx' or its password is refused; correct clickhouse.url") as refused:
        check(front.url("default", password="hunter2"))
    assert "hunter2" not in str(refused.value)
    assert PASSWORD not in str(parse_url(front.url("default"))) + repr(parse_url(front.url("default")))


def test_a_server_that_is_not_there_is_named_with_its_remedy(front: ClickHouseFront) -> None:
    with front.down(), pytest.raises(SinkError, match="not available; start it, or correct clickhouse.url .*refused"):
        check(front.url("default"))


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[str]:
    """A chDB folder that another process has open."""
    url = f"chdb://{tmp_path}"
    program = (
        "import sys\nfrom sinks.clickhouse.address import parse_url\nfrom sinks.clickhouse.connection import connect\n"
        "connection = connect(parse_url(sys.argv[1]))\nprint('open', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        yield url
        other.communicate(b"")


def test_a_chdb_folder_in_use_by_another_process_is_named_with_its_remedy(taken: str) -> None:
    program = "import sys\nfrom sinks.clickhouse.check import check\ncheck(sys.argv[1])"
    second = subprocess.run(
        [sys.executable, "-c", program, taken],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert second.returncode == 1
    assert "chDB allows one process per path" in second.stderr
    assert "stop the other process" in second.stderr


def test_a_second_folder_in_one_process_is_refused(front: ClickHouseFront, tmp_path: Path) -> None:
    assert front.port
    with pytest.raises(SinkError, match="one path per process"):
        migrate(f"chdb://{tmp_path}")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "not a database address; write http://user:password@host:8123/database or chdb:///folder"),
        ("localhost:8123", "not a database address"),
        ("clickhouse://h/db", "not a database address"),
        ("http:///db", "not a database address"),
        ("http://h:port/db", "write http://"),
        ("chdb://relative/folder", "with three slashes"),
        ("chdb://", "with three slashes"),
    ],
)
def test_a_malformed_address_is_named_with_the_right_shape(url: str, message: str) -> None:
    with pytest.raises(SinkError, match=r"clickhouse\.url: .*" + message):
        check(url)


def test_an_address_is_read_with_its_escapes_and_defaults() -> None:
    full = parse_url("https://us%40er:p%2Fw%3A@db.example/cx%20stream")
    assert (full.interface, full.host, full.port, full.username, full.password, full.database) == (
        "https",
        "db.example",
        8443,
        "us@er",
        "p/w:",
        "cx stream",
    )
    bare = parse_url("http://127.0.0.1")
    assert (bare.port, bare.username, bare.password, bare.database) == (8123, "default", "", "default")
