"""One chDB engine a module, reached in process and over HTTP; every test has a database of its own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sinks.clickhouse.address import parse_url
from sinks.clickhouse.connection import Connection, connect
from sinks.clickhouse.migrate import migrate
from tests.sinks.stores import ClickHouseStore, FolderStore, Store
from tests.support.clickhouse_front import ClickHouseFront

Ask = Callable[[str], Sequence[Sequence[Any]]]
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chdb")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ClickHouseFront]:
    front = ClickHouseFront(str(folder))
    front.start()
    yield front
    front.close()


@pytest.fixture
def front(server: ClickHouseFront) -> ClickHouseFront:
    server.attempts.clear()
    server.fail_next_inserts()
    return server


@pytest.fixture
def database() -> str:
    return f"cx_{next(_NUMBERS)}"


@pytest.fixture(params=["chdb", "http"])
def empty_url(request: pytest.FixtureRequest, front: ClickHouseFront, folder: Path, database: str) -> str:
    """A database that does not exist yet, on both kinds of URL."""
    return front.url(database) if request.param == "http" else f"chdb://{folder}?database={database}"


@pytest.fixture
def url(empty_url: str) -> str:
    migrate(empty_url)
    return empty_url


@pytest.fixture
def http_url(front: ClickHouseFront, database: str) -> str:
    migrate(front.url(database))
    return front.url(database)


@pytest.fixture(scope="module", params=["chdb", "http"])
def shared(request: pytest.FixtureRequest, server: ClickHouseFront, folder: Path) -> Iterator[tuple[str, Ask]]:
    """A migrated database that the tests of a module share, as URL and a way to ask it."""
    name = f"cx_shared_{next(_NUMBERS)}"
    migrate(server.url(name))
    with closing(connect(parse_url(server.url(name)))) as connection:
        url = server.url(name) if request.param == "http" else f"chdb://{folder}?database={name}"
        yield url, connection.rows


@pytest.fixture
def ask(front: ClickHouseFront, database: str) -> Iterator[Ask]:
    """Ask the test's database, whichever way it was filled."""
    with ExitStack() as stack:
        opened: list[Connection] = []

        def rows(sql: str) -> Sequence[Sequence[Any]]:
            if not opened:
                opened.append(stack.enter_context(closing(connect(parse_url(front.url(database))))))
            return opened[0].rows(sql)

        yield rows


@pytest.fixture
def chdb_store(folder: Path, database: str, ask: Ask) -> Store:
    url = f"chdb://{folder}?database={database}"
    migrate(url)
    return ClickHouseStore(url, ask)


@pytest.fixture
def http_store(http_url: str, ask: Ask) -> Store:
    return ClickHouseStore(http_url, ask)


@pytest.fixture
def folder_store(tmp_path: Path) -> Store:
    return FolderStore(tmp_path / "store")
