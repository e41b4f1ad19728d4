"""Migrations are applied once, in order, and never changed afterwards."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from sinks.clickhouse.migrate import FOLDER, migrate, migrations, read_migration
from sinks.clickhouse.sink import ClickHouseSink
from sinks.errors import SinkError
from tests.sinks.conftest import Ask


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of two migrations, the first with several statements."""
    (tmp_path / "0001_first.sql").write_text(
        "-- two tables; one comment\nCREATE TABLE IF NOT EXISTS a (n Int64, s String DEFAULT 'x;y')\n"
        "ENGINE = MergeTree ORDER BY n;\n\n-- the second;\nCREATE TABLE IF NOT EXISTS b (n Int64) ENGINE = MergeTree "
        "ORDER BY n;\n"
    )
    (tmp_path / "0002_view.sql").write_text("CREATE OR REPLACE VIEW both AS SELECT n FROM a UNION ALL SELECT n FROM b;")
    return tmp_path


@pytest.mark.io
def test_each_is_applied_once_and_the_database_is_made(empty_url: str, ask: Ask) -> None:
    assert migrate(empty_url) == [m.name for m in migrations()]
    assert migrate(empty_url) == []
    log = ask("SELECT number, name, checksum FROM cx_migrations ORDER BY number")
    assert log == [(m.number, m.name, m.checksum) for m in migrations()]


@pytest.mark.io
def test_a_new_one_is_applied_on_top(empty_url: str, own: Path, ask: Ask) -> None:
    assert migrate(empty_url, own) == ["0001_first", "0002_view"]
    (own / "0003_c.sql").write_text("ALTER TABLE a ADD COLUMN IF NOT EXISTS c Int64;\n")
    assert migrate(empty_url, own) == ["0003_c"]
    assert _names(ask("SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'a'")) == [
        "n",
        "s",
        "c",
    ]


@pytest.mark.io
def test_an_applied_file_that_changed_is_refused_and_nothing_is_applied(empty_url: str, own: Path, ask: Ask) -> None:
    migrate(empty_url, own)
    with (own / "0001_first.sql").open("a") as file:
        file.write("-- a harmless comment\n")
    (own / "0003_c.sql").write_text("CREATE TABLE c (n Int64) ENGINE = MergeTree ORDER BY n;\n")
    with pytest.raises(SinkError, match="0001_first has changed since it was applied .* put the change into a new one"):
        migrate(empty_url, own)
    assert "c" not in _tables(ask)


@pytest.mark.io
def test_a_database_of_a_newer_version_is_refused(empty_url: str, own: Path) -> None:
    migrate(empty_url, own)
    (own / "0002_view.sql").unlink()
    with pytest.raises(SinkError, match="0002_view was applied by a newer version; upgrade cxstream"):
        migrate(empty_url, own)


@pytest.mark.io
def test_a_statement_that_fails_names_itself_and_a_repeat_goes_on(empty_url: str, own: Path, ask: Ask) -> None:
    (own / "0002_view.sql").write_text(
        "CREATE TABLE IF NOT EXISTS c (n Int64) ENGINE = MergeTree ORDER BY n;\nCREATE TABEL d;\n"
    )
    with pytest.raises(SinkError, match="0002_view, at `CREATE TABEL d`: .*[Ss]yntax error"):
        migrate(empty_url, own)
    assert _tables(ask) == ["a", "b", "c", "cx_migrations"]
    (own / "0002_view.sql").write_text("CREATE TABLE IF NOT EXISTS c (n Int64) ENGINE = MergeTree ORDER BY n;\n")
    assert migrate(empty_url, own) == ["0002_view"]


@pytest.mark.io
def test_a_sink_does_not_start_on_tables_that_are_not_migrated(empty_url: str, database: str) -> None:
    sink = ClickHouseSink(empty_url.replace(database, "default"))
    with closing(sink), pytest.raises(SinkError, match="0001_tables is not applied; run `cxstream migrate`"):
        sink.warm()


def test_a_semicolon_ends_a_statement_only_at_the_end_of_a_line(own: Path) -> None:
    first, second = read_migration(own / "0001_first.sql").statements
    assert first.startswith("CREATE TABLE IF NOT EXISTS a")
    assert "'x;y'" in first
    assert second.startswith("CREATE TABLE IF NOT EXISTS b")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("0004_gap.sql", "not numbered 1 to 3: 0001_first, 0002_view, 0004_gap"),
        ("0002_again.sql", "not numbered 1 to 3: 0001_first, 0002_again, 0002_view"),
        ("add.sql", "add.sql: name a migration like 0003_add_column.sql"),
    ],
)
def test_a_file_out_of_the_row_is_refused(own: Path, name: str, message: str) -> None:
    (own / name).write_text("SELECT 1;\n")
    with pytest.raises(SinkError, match=message):
        migrations(own)


def test_ours_can_be_repeated_after_an_interruption() -> None:
    statements = [s for m in migrations(FOLDER) for s in m.statements]
    assert statements
    repeatable = (
        "CREATE TABLE IF NOT EXISTS",
        "CREATE OR REPLACE VIEW",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS",
        "ALTER TABLE calls MODIFY COLUMN",
    )
    assert [s for s in statements if not s.startswith(repeatable)] == []


def _tables(ask: Ask) -> list[str]:
    return _names(ask("SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name"))


def _names(rows: Sequence[Sequence[str]]) -> list[str]:
    return [name for (name,) in rows]
