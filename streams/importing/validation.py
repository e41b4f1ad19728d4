"""Whether a mapping can produce events: every check that needs no row of the export."""

import codecs
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from schemas import catalogue
from schemas.survey import Survey
from streams.errors import MappingError
from streams.importing.field_types import FieldType, field_types, required_fields
from streams.importing.mapping import FieldMapping, Mapping, with_cases
from streams.importing.suggestions import suggest
from streams.importing.survey_scales import scale_problems
from streams.importing.times import NAMED_FORMATS, has_day

Problem = tuple[str, str]
"""A key of the mapping, and what is wrong with it."""
_SOURCES = ("column", "columns", "value", "end", "latest", "cases")


def validate(mapping: Mapping) -> None:
    """Raise `MappingError` for the first key that cannot work; the message names the key and the fix."""
    for key, text in _problems(mapping):
        raise MappingError(f"{mapping.origin}: {key}: {text}")


def _problems(mapping: Mapping) -> Iterator[Problem]:
    topics = {topic.name: topic for topic in catalogue.SOURCE_TOPICS}
    if mapping.topic not in topics:
        yield "topic", f"{mapping.topic!r} is not a source topic; {suggest(mapping.topic, topics)}"
        return
    yield from _table_problems(mapping)
    record = topics[mapping.topic].record
    for name in required_fields(record):
        if name not in mapping.fields:
            yield f"fields.{name}", f"missing; every event of {mapping.topic} needs this field"
    for name, field in mapping.fields.items():
        yield from _field_problems(mapping, record, name, field)
    if record is Survey:
        yield from scale_problems(mapping)


def _table_problems(mapping: Mapping) -> Iterator[Problem]:
    try:
        codecs.lookup(mapping.encoding)
    except LookupError:
        yield "encoding", f"{mapping.encoding!r} is an unknown encoding; write for example utf-8 or cp1252"
    if mapping.zone and not _zone_exists(mapping.zone):
        yield "zone", f"{mapping.zone!r} is not an IANA time zone; write for example UTC or Europe/Berlin"
    if mapping.customers and "customer" in mapping.fields:
        yield "customers", "fields.customer already maps real customers; remove one of the two"


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _field_problems(mapping: Mapping, record: Any, name: str, field: FieldMapping) -> Iterator[Problem]:
    types = field_types(record)
    if name not in types:
        yield f"fields.{name}", f"events of {mapping.topic} have no such field; {suggest(name, types)}"
        return
    for key, part in with_cases(f"fields.{name}", field):
        yield from _shape_problems(key, part, types[name])
        yield from _constant_problems(key, part, record, name)
        if types[name] == "time" or part.end:
            yield from _time_problems(mapping, key, part)


def _shape_problems(key: str, field: FieldMapping, field_type: FieldType) -> Iterator[Problem]:
    given = [name for name in _SOURCES if getattr(field, name) not in ("", [], None)]
    if len(given) != 1:
        yield key, f"give exactly one of {', '.join(_SOURCES)}; this has {' and '.join(given) or 'none'}"
        return
    for number, case in enumerate(field.cases[:-1]):
        if not case.when:
            yield f"{key}.cases[{number}].when", "missing; only the last case may omit it"
    if given == ["end"] and (not field.begin or field_type != "number"):
        yield f"{key}.end", "a duration needs both begin and end, and a field that is a number"
    if given == ["latest"] and not (field.date and field.begin and field_type == "time"):
        yield f"{key}.latest", "needs date and begin as well, and a field that is a time"
    if field.unit != "s" and field_type != "number":
        yield f"{key}.unit", "only a duration has a unit"
    if field_type == "time" and (field.value is not None or field.values or field.otherwise is not None):
        yield key, "a time is read from columns; it cannot be a constant, and values cannot translate it"


def _constant_problems(key: str, field: FieldMapping, record: Any, name: str) -> Iterator[Problem]:
    annotation = next(f.type for f in msgspec.structs.fields(record) if f.name == name)
    constants = [("value", field.value), ("otherwise", field.otherwise)]
    constants += [(f"values.{source}", value) for source, value in field.values.items()]
    for where, value in constants:
        try:
            if value is not None:
                msgspec.convert(value, annotation)
        except msgspec.ValidationError as error:
            yield f"{key}.{where}", f"{value!r} does not fit {name}: {error}"


def _time_problems(mapping: Mapping, key: str, field: FieldMapping) -> Iterator[Problem]:
    if field.cases:
        return
    time_format = field.format or mapping.time_format
    if time_format not in NAMED_FORMATS:
        yield from _format_problems(f"{key}.format", time_format)
        if field.latest and not has_day(time_format):
            yield f"{key}.format", f"{time_format!r} has no day; latest reads a date and a time of day with it"
        if has_day(time_format) and not mapping.zone and "%z" not in time_format:
            yield "zone", 'these times have no offset; name their time zone, e.g. zone = "Europe/Berlin"'
    elif field.latest:
        yield f"{key}.format", "latest needs a format of date and time of day, such as %Y-%m-%d %H:%M:%S"


def _format_problems(key: str, time_format: str) -> Iterator[Problem]:
    example = datetime(2001, 12, 31, 23, 58, 59, tzinfo=UTC)
    try:
        if "%" not in time_format:
            raise ValueError("no % in it")
        datetime.strptime(example.strftime(time_format), time_format).replace(tzinfo=UTC)
    except ValueError as error:
        known = ", ".join(NAMED_FORMATS)
        text = f"{time_format!r} is not a time format: {error}; write {known} or a strptime format"
        yield key, f"{text} such as %d/%m/%Y %H:%M"
