"""One connection to ClickHouse or chDB, and the translation of its errors.

The client takes about 0.4 s to import, so that happens when a connection is opened: every command imports this module.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sinks.clickhouse.address import Address
from sinks.errors import PoisonRow, SinkError, SinkUnavailable

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client
    from clickhouse_connect.driver.exceptions import Error

CONNECT_TIMEOUT_S = 5
TIMEOUT_S = 30
"""Whole seconds that an insert may take. After that the database counts as unavailable and the insert is repeated."""

_ROW_CODES = frozenset({6, 25, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 130, 131, 321, 349, 407, 441, 469, 692})
"""Server errors that are about a row: parse and conversion errors, a value out of range, a violated constraint."""
_REMEDIES = (
    ((16, 47, 60), "the tables are not those of this version; run `cxstream migrate`"),
    ((81,), "there is no such database; run `cxstream migrate`, or correct clickhouse.url"),
    ((192, 193, 194, 516), "user {user!r} or its password is refused; correct clickhouse.url"),
    ((164, 291, 497), "user {user!r} lacks a right; grant it"),
    ((62, *_ROW_CODES), "a statement is not understood; use ClickHouse 25.3 or newer"),
)
"""Server errors that retrying cannot fix, with the fix. All others are taken for temporary ones."""
_NO_CHDB = "Unable to open the chdb engine"
_INSERT = {
    "async_insert": "0",
    "date_time_input_format": "best_effort",
    "input_format_null_as_default": "1",
    "input_format_skip_unknown_fields": "1",
}


class Connection:
    """A client of one database; blocking. It raises no errors but `SinkError`."""

    def __init__(self, address: Address, client: "Client") -> None:
        self.address = address
        self.version = str(client.server_version)
        self._client = client

    def command(self, sql: str) -> None:
        """Run one statement that returns no rows."""
        with _translated(self.address):
            self._client.command(sql)

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        """The rows that a query returns."""
        with _translated(self.address):
            return self._client.query(sql, parameters=dict(parameters or {})).result_rows

    def insert(self, table: str, columns: Sequence[str], body: bytes, token: str) -> None:
        """Insert newline-delimited JSON objects, whole or not at all. A second insert with the same `token` is ignored.

        Raises `PoisonRow` where a row is the cause.
        """
        with _translated(self.address, inserting=True):
            self._client.raw_insert(
                table, columns, body, fmt="JSONEachRow", settings={**_INSERT, "insert_deduplication_token": token}
            )

    def close(self) -> None:
        """Close the connection; another process can then open a chDB folder."""
        self._client.close()


def connect(address: Address, timeout_s: int = TIMEOUT_S, database: str | None = None) -> Connection:
    """Open a connection to the address's database, or to another one on that server.

    Raises `SinkUnavailable` where the server does not answer, `SinkError` where it refuses.
    """
    import clickhouse_connect

    database = database or address.database
    with _translated(address):
        if address.interface == "chdb":
            return Connection(
                address, clickhouse_connect.get_client(interface="chdb", path=address.path, database=database)
            )
        # without a session, because a dropped connection would leave its session locked
        return Connection(
            address,
            clickhouse_connect.get_client(
                interface=address.interface,
                host=address.host,
                port=address.port,
                username=address.username,
                password=address.password,
                database=database,
                connect_timeout=CONNECT_TIMEOUT_S,
                send_receive_timeout=timeout_s,
                autogenerate_session_id=False,
                compress=False,
                query_retries=0,
                client_name="cxstream",
                dedicated_pool=True,
            ),
        )


@contextmanager
def _translated(address: Address, inserting: bool = False) -> Iterator[None]:
    from clickhouse_connect.driver.exceptions import Error

    try:
        yield
    except Error as error:
        if inserting and error.code in _ROW_CODES:
            raise PoisonRow(_text(error)) from error
        raise _meaning(error, address) from error
    except OSError as error:
        raise SinkUnavailable(f"{address}: {error}") from error


def _meaning(error: "Error", address: Address) -> SinkError:
    text = _text(error)
    if str(error).startswith(_NO_CHDB):
        return SinkError(
            f"{address}: cannot open the folder; chDB allows one process per path and one path per "
            "process: stop the other process, or give this one another, writable, folder"
        )
    for codes, remedy in _REMEDIES:
        if error.code in codes:
            return SinkError(f"{address}: {remedy.format(user=address.username)} ({text})")
    return SinkUnavailable(f"{address}: not available; start it, or correct clickhouse.url ({text})")


def _text(error: "Error") -> str:
    # a connection error wraps the reason twice; only the innermost text says something
    cause = getattr(error.__cause__, "reason", None) or error.__cause__ or error
    return re.sub(r" \(for url [^)]*\)", "", " ".join(str(cause).split()))[:400]
