"""What each field of an event holds, read from its struct: so a new field can be mapped at once."""

from typing import Any, Literal

import msgspec
from msgspec import inspect

from schemas.envelope import Envelope

Kind = Literal["moment", "integer", "number", "flag", "text"]
_PLAIN: tuple[tuple[type, Kind], ...] = (
    (inspect.DateTimeType, "moment"),
    (inspect.StrType, "text"),
    (inspect.LiteralType, "text"),
    (inspect.FloatType, "number"),
    (inspect.BoolType, "flag"),
    (inspect.IntType, "integer"),
)


def kinds(record: type[Envelope]) -> dict[str, Kind]:
    """The kind of every field of a record; what may be a text is a text.

    >>> from schemas.call import Call
    >>> kinds(Call)["wait"], kinds(Call)["transfers"], kinds(Call)["time"]
    ('number', 'integer', 'moment')
    """
    info = inspect.type_info(record)
    return {field.name: _kind(field.type) for field in info.fields} if isinstance(info, inspect.StructType) else {}


def required(record: type[Envelope]) -> list[str]:
    """The fields every event of this record must have, except those the importer makes itself."""
    fields = msgspec.structs.fields(record)
    return [f.name for f in fields if f.required and f.name not in {"event_id", "record_id"}]


def _kind(kind: Any) -> Kind:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    options = [_unwrap(option) for option in kind.types] if isinstance(kind, inspect.UnionType) else [kind]
    return next(name for plain, name in _PLAIN if any(isinstance(option, plain) for option in options))


def _unwrap(kind: Any) -> Any:
    return kind.type if isinstance(kind, inspect.Metadata) else kind
