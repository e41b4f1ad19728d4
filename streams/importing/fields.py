"""How one field of an event is read from a row: looked up, joined, chosen by case, translated and typed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from streams.importing.coercion import COERCIONS, duration_s, plain
from streams.importing.columns import Columns, ValueReader
from streams.importing.field_types import FieldType
from streams.importing.mapping import Condition, FieldMapping, Mapping
from streams.importing.times import TimeReader


class FieldReaders:
    """Builds the functions that read the fields of one table; `types` has the type of each field."""

    def __init__(self, mapping: Mapping, columns: Columns, types: dict[str, FieldType]) -> None:
        self._mapping, self._columns, self._types = mapping, columns, types
        self._zone = ZoneInfo(mapping.zone) if mapping.zone else None

    def reader(self, key: str, name: str, field: FieldMapping) -> ValueReader:
        """The reader of field `name`; `key` names the place in the mapping.

        Raises `MappingError` for a column that the table lacks. The reader raises `UnreadableTime`.
        """
        if field.cases:
            return self._cases(key, name, field)
        if field.value is not None:
            return lambda values: field.value
        if field.latest:
            return self._latest(key, field)
        if field.end:
            return self._duration(key, field)
        field_type = self._types[name]
        return self._typed(field, field_type, _translated(field, self._joined(key, field, field_type)))

    def _cases(self, key: str, name: str, field: FieldMapping) -> ValueReader:
        cases = [
            (
                condition(f"{key}.cases[{number}].when", case.when, self._columns),
                self.reader(f"{key}.cases[{number}]", name, case),
            )
            for number, case in enumerate(field.cases)
        ]
        return lambda values: next((read(values) for holds, read in cases if holds(values)), None)

    def _latest(self, key: str, field: FieldMapping) -> ValueReader:
        read_day, read_begin = self._column(key, field.date, field), self._column(key, field.begin, field)
        end_readers = [self._column(key, name, field) for name in field.latest]
        times = self._time_reader(field)

        def read(values: Any) -> datetime | None:
            day, begin = read_day(values), read_begin(values)
            ends = [str(end) for end in (read_end(values) for read_end in end_readers) if end is not None]
            return None if day is None or begin is None else times.latest(str(day), str(begin), ends)

        return read

    def _duration(self, key: str, field: FieldMapping) -> ValueReader:
        read_begin, read_end = self._column(key, field.begin, field), self._column(key, field.end, field)
        times = self._time_reader(field)

        def read(values: Any) -> float | None:
            begin, end = read_begin(values), read_end(values)
            return None if begin is None or end is None else times.seconds_between(str(begin), str(end))

        return read

    def _joined(self, key: str, field: FieldMapping, field_type: FieldType) -> ValueReader:
        if field.column:
            return self._column(key, field.column, field)
        readers = [self._column(key, name, field) for name in field.columns]
        separator = field.join if field.join is not None else " " if field_type == "time" else "-"

        def read(values: Any) -> str | None:
            parts = [read_part(values) for read_part in readers]
            return None if None in parts else separator.join(map(str, parts))

        return read

    def _column(self, key: str, name: str, field: FieldMapping) -> ValueReader:
        read_column = self._columns.reader(key, name)
        missing = frozenset([*self._mapping.missing, *field.missing])

        def read(values: Any) -> Any:
            value = read_column(values)
            return None if isinstance(value, str) and value in missing else value

        return read

    def _typed(self, field: FieldMapping, field_type: FieldType, read: ValueReader) -> ValueReader:
        if field_type == "number":
            return _then(read, lambda value: duration_s(value, field.unit))
        if field_type == "time":
            read_time = self._time_reader(field).read
            return _then(read, lambda value: read_time(str(value)))
        return _then(read, COERCIONS[field_type]) if field_type in COERCIONS else read

    def _time_reader(self, field: FieldMapping) -> TimeReader:
        mapping = self._mapping
        return TimeReader(field.format or mapping.time_format, self._zone, mapping.fold, mapping.gap)


def condition(key: str, expected: Condition, columns: Columns) -> Callable[[Any], bool]:
    """The function that tells whether a row has the expected values in all these columns."""
    tests = [
        (columns.reader(f"{key}.{name}", name), {plain(v) for v in (value if isinstance(value, list) else [value])})
        for name, value in expected.items()
    ]
    return lambda values: all(plain(read(values)) in allowed for read, allowed in tests)


def _translated(field: FieldMapping, read: ValueReader) -> ValueReader:
    if not field.values and field.otherwise is None:
        return read
    table, otherwise = field.values, field.otherwise
    return _then(read, lambda value: table.get(plain(value), value if otherwise is None else otherwise))


def _then(read: ValueReader, convert: Callable[[Any], Any]) -> ValueReader:
    def read_and_convert(values: Any) -> Any:
        value = read(values)
        return None if value is None else convert(value)

    return read_and_convert
