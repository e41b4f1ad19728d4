"""Applies the numbered SQL files, each once. A file that was applied is never changed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sinks.clickhouse.address import Address, parse_url
from sinks.clickhouse.connection import Connection, connect
from sinks.errors import SinkError

FOLDER = Path(__file__).parent / "migrations"
_LOG = """CREATE TABLE IF NOT EXISTS cx_migrations (
    number UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree ORDER BY number"""


@dataclass(frozen=True)
class Migration:
    """One file `NNNN_name.sql`. Each statement can be repeated, and ends with a semicolon at the end of a line."""

    number: int
    name: str
    checksum: str
    statements: tuple[str, ...]


def read_migration(path: Path) -> Migration:
    """Read one file. Raises `SinkError` where its name has no number."""
    if not re.fullmatch(r"\d{4}_\w+\.sql", path.name):
        raise SinkError(f"{path.name}: name a migration like 0003_add_column.sql")
    text = path.read_text(encoding="utf-8")
    code = re.sub(r"(?m)^\s*--.*\n?", "", text)
    statements = tuple(part.strip() for part in re.split(r"(?m);\s*$", code) if part.strip())
    return Migration(int(path.name[:4]), path.stem, sha256(text.encode()).hexdigest(), statements)


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """All files of the folder, by number. Raises `SinkError` where the numbers are not 1, 2, 3 …"""
    files = [read_migration(path) for path in sorted(folder.glob("*.sql"))]
    if [m.number for m in files] != list(range(1, len(files) + 1)):
        raise SinkError(f"migrations are not numbered 1 to {len(files)}: {', '.join(m.name for m in files)}")
    return files


def pending(connection: Connection, folder: Path = FOLDER) -> list[Migration]:
    """The migrations that are not applied yet. Raises `SinkError` where an applied one has changed or is unknown."""
    known = migrations(folder)
    applied = _applied(connection)
    for number, (name, checksum) in applied.items():
        file = next((m for m in known if m.number == number), None)
        if file is None:
            raise SinkError(f"{connection.address}: {name} was applied by a newer version; upgrade cxstream")
        if file.checksum != checksum:
            raise SinkError(
                f"{connection.address}: {file.name} has changed since it was applied as {name}; "
                "restore the file and put the change into a new one"
            )
    return [m for m in known if m.number not in applied]


def require_migrated(connection: Connection) -> None:
    """Raise `SinkError` unless every migration has been applied."""
    missing = pending(connection)
    if missing:
        raise SinkError(f"{connection.address}: {missing[0].name} is not applied; run `cxstream migrate`")


def migrate(url: str, folder: Path = FOLDER) -> list[str]:
    """Create the database where it is missing, apply the pending migrations and return their names.

    An interrupted run can be repeated. Raises `SinkError`; the files applied before it stay applied.
    """
    address = parse_url(url)
    _create_database(address)
    connection = connect(address)
    try:
        connection.command(_LOG)
        return [_apply(connection, migration) for migration in pending(connection, folder)]
    finally:
        connection.close()


def _apply(connection: Connection, migration: Migration) -> str:
    for statement in migration.statements:
        try:
            connection.command(statement)
        except SinkError as error:
            raise SinkError(f"{migration.name}, at `{statement.splitlines()[0]}`: {error}") from error
    connection.command(
        "INSERT INTO cx_migrations (number, name, checksum) VALUES "
        f"({migration.number}, '{migration.name}', '{migration.checksum}')"
    )
    return migration.name


def _applied(connection: Connection) -> dict[int, Sequence[str]]:
    if not connection.rows("SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = 'cx_migrations'"):
        return {}
    rows = connection.rows("SELECT number, name, checksum FROM cx_migrations ORDER BY number, applied_at")
    return {number: (name, checksum) for number, name, checksum in rows}


def _create_database(address: Address) -> None:
    if address.database == "default":
        return
    server = connect(address, database="default")
    try:
        if not server.rows("SELECT 1 FROM system.databases WHERE name = {name:String}", {"name": address.database}):
            quoted = address.database.replace("\\", "\\\\").replace("`", "\\`")
            server.command(f"CREATE DATABASE IF NOT EXISTS `{quoted}`")
    finally:
        server.close()
