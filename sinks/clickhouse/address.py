"""Database URLs: `http(s)://user:password@host:port/database` or `chdb:///folder`."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from sinks.errors import SinkError

SHAPE = "write http://user:password@host:8123/database or chdb:///folder"
_PORTS = {"http": 8123, "https": 8443}


@dataclass(frozen=True)
class Address:
    """A parsed database URL; its text form never shows the password."""

    interface: Literal["http", "https", "chdb"]
    database: str
    path: str = ""
    host: str = ""
    port: int = 0
    username: str = "default"
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        if self.interface == "chdb":
            return f"chdb://{self.path}"
        return f"{self.interface}://{self.host}:{self.port}/{self.database}"


def parse_url(url: str) -> Address:
    """Parse a database URL. Raises `SinkError` with the right form.

    In a chDB folder the tables are in the database `default`, or in the one named by `?database=`.

    >>> str(parse_url("http://cx:secret@db.example:8123/cxstream"))
    'http://db.example:8123/cxstream'
    >>> parse_url("chdb:///var/lib/cx").path
    '/var/lib/cx'
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SinkError(f"clickhouse.url: {error}; {SHAPE}") from None
    if parts.scheme == "chdb":
        return _chdb(parts)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SinkError(f"clickhouse.url: not a database address; {SHAPE}")
    return Address(
        "https" if parts.scheme == "https" else "http",
        database=unquote(parts.path.strip("/")) or "default",
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        username=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
    )


def _chdb(parts: SplitResult) -> Address:
    path = unquote(parts.path).rstrip("/")
    if parts.netloc or not path:
        raise SinkError("clickhouse.url: chDB needs an absolute folder; write chdb:///folder, with three slashes")
    return Address("chdb", database=parse_qs(parts.query).get("database", ["default"])[0], path=path)
