"""The type of each field of an event, derived from the struct of its topic."""

from typing import Any, Literal, cast

import msgspec
from msgspec import inspect

from schemas.envelope import Envelope

FieldType = Literal["time", "integer", "number", "boolean", "text", "other"]
"""`other` is a list, an object or any further type; its value is passed on unchanged."""

_FIELD_TYPES: tuple[tuple[type, FieldType], ...] = (
    (inspect.DateTimeType, "time"),
    (inspect.StrType, "text"),
    (inspect.LiteralType, "text"),
    (inspect.FloatType, "number"),
    (inspect.BoolType, "boolean"),
    (inspect.IntType, "integer"),
)


def field_types(record: type[Envelope]) -> dict[str, FieldType]:
    """The type of every field of a record; a field that accepts text among other types is `text`.

    >>> from schemas.call import Call
    >>> field_types(Call)["wait"], field_types(Call)["transfers"], field_types(Call)["time"]
    ('number', 'integer', 'time')
    """
    info = cast(inspect.StructType, inspect.type_info(record))
    return {field.name: _field_type(field.type) for field in info.fields}


def required_fields(record: type[Envelope]) -> list[str]:
    """The fields that a mapping must name, which are all required ones except those the importer can generate."""
    fields = msgspec.structs.fields(record)
    return [f.name for f in fields if f.required and f.name not in {"event_id", "record_id"}]


def _field_type(annotation: Any) -> FieldType:
    plain = _without_metadata(annotation)
    options = [_without_metadata(option) for option in plain.types] if isinstance(plain, inspect.UnionType) else [plain]
    matches = (name for kind, name in _FIELD_TYPES if any(isinstance(option, kind) for option in options))
    return next(matches, "other")


def _without_metadata(annotation: Any) -> Any:
    while isinstance(annotation, inspect.Metadata):
        annotation = annotation.type
    return annotation
