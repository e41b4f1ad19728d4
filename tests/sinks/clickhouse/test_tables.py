"""Tables, catalogue and structs stay in step."""

import re

import msgspec
import pytest
from msgspec import inspect

from schemas.catalogue import SOURCE_TOPICS, TOPICS, Topic
from schemas.envelope import Envelope
from sinks.clickhouse.migrate import migrations
from sinks.clickhouse.tables import DERIVED_COLUMNS, SOURCE_COLUMNS, STORED_TOPICS, TABLES, Table, source_tables
from tests.sinks.conftest import Ask

ALL = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


def test_every_topic_that_is_not_internal_is_stored() -> None:
    assert set(STORED_TOPICS) == {topic.name for topic in TOPICS if topic.role != "internal"}


@pytest.mark.parametrize("topic", [t for t in TOPICS if t.role != "internal"], ids=lambda topic: topic.name)
def test_every_record_of_a_stored_topic_has_a_table(topic: object) -> None:
    records = {table.record for table in TABLES if table.topic is topic}
    kind = next(t.record for t in TOPICS if t is topic)
    assert records == set(getattr(kind, "__args__", (kind,)))


def lacks_migration(table: Table) -> str:
    """What to do where no migration creates the table; empty where one does."""
    statements = [statement for migration in migrations() for statement in migration.statements]
    created = [s for s in statements if re.match(rf"CREATE TABLE IF NOT EXISTS {table.name}\b", s)]
    return "" if created else f"add a migration for table {table.name}"


@ALL
def test_every_table_is_created_by_a_migration(table: Table) -> None:
    assert not lacks_migration(table), lacks_migration(table)


def test_a_new_source_gets_a_table_named_after_its_topic_and_needs_a_migration() -> None:
    visits = Topic("cx.visits.v2", 2, "source", Envelope, "customer", "Visits", 40)
    *known, table = source_tables((*SOURCE_TOPICS, visits))
    assert tuple(known) == TABLES[: len(SOURCE_TOPICS)]
    assert table == Table("visits", visits, Envelope)
    assert table.columns[:5] == (*SOURCE_COLUMNS, "event_id")
    assert lacks_migration(table) == "add a migration for table visits"


@pytest.mark.io
@ALL
def test_a_table_has_a_column_for_each_field_and_no_other(table: Table, shared: tuple[str, Ask]) -> None:
    columns = shared[1](
        f"SELECT name FROM system.columns WHERE database = currentDatabase() AND table = '{table.name}'"
    )
    assert [name for (name,) in columns] == [*table.columns, "inserted_at"], "add a migration for the new field"


@pytest.mark.io
@ALL
def test_a_column_is_as_wide_as_its_field(table: Table, shared: tuple[str, Ask]) -> None:
    types = {
        name: str(kind)
        for name, kind in shared[1](
            f"SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = '{table.name}'"
        )
    }
    special = {("surveys", "score"): "Nullable(UInt8)"}  # decoded to 0…10, whatever it came as
    if table.topic.role == "source":
        special[table.name, "customer"] = "String"  # null and "" both mean nobody
    expected = {
        field.encode_name: special.get((table.name, field.encode_name)) or _column(field.type)
        for field in _fields(table.record)
    }
    wrong = {name: (types[name], kind) for name, kind in expected.items() if _plain(types[name]) != kind}
    assert not wrong, "name: (type in the table, type that holds the field)"


@pytest.mark.io
@ALL
def test_a_table_forgets_after_a_time_and_knows_its_last_inserts(table: Table, shared: tuple[str, Ask]) -> None:
    ((created,),) = shared[1](
        f"SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = '{table.name}'"
    )
    assert re.search(r"TTL toDateTime\(inserted_at\) \+ toIntervalDay\(\d+\)", created)
    assert "non_replicated_deduplication_window = 10000" in created
    assert "ReplacingMergeTree" in created


def test_what_is_added_to_a_row_is_no_field_of_a_record() -> None:
    for table in TABLES:
        added = SOURCE_COLUMNS if table.topic.role == "source" else DERIVED_COLUMNS
        assert not set(added) & set(table.record.__struct_fields__)


def _fields(record: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(record)
    assert isinstance(info, inspect.StructType)
    return info.fields


def _plain(column: str) -> str:
    while column.startswith("LowCardinality("):
        column = column.removeprefix("LowCardinality(").removesuffix(")")
    return column.replace("LowCardinality(String)", "String")


def _column(kind: inspect.Type) -> str:
    match kind:
        case inspect.Metadata(type=inner):
            return _column(inner)
        case inspect.UnionType(types=types):
            (column,) = {_column(t) for t in types if not isinstance(t, inspect.NoneType)}
            return f"Nullable({column})"
        case inspect.DictType(key_type=key, value_type=value):
            return f"Map({_column(key)}, {_column(value)})"
        case inspect.ListType(item_type=inspect.StructType(fields=fields)):
            return f"Array(Tuple({', '.join(f'{f.encode_name} {_column(f.type)}' for f in fields)}))"
    return _PLAIN_COLUMNS[type(kind)]


_PLAIN_COLUMNS: dict[type[inspect.Type], str] = {
    inspect.StrType: "String",
    inspect.LiteralType: "String",
    inspect.IntType: "Int64",
    inspect.BoolType: "Bool",
    inspect.FloatType: "Float64",
    inspect.DateTimeType: "DateTime64(3, 'UTC')",
}
