"""From the text of a mapping file to a validated mapping."""

import tomllib
from typing import Any, TypeVar

import msgspec

from streams.errors import MappingError
from streams.importing.mapping import FieldMapping, Mapping
from streams.importing.validation import validate

T = TypeVar("T")


def parse_mapping(text: str, *, name: str, origin: str) -> Mapping:
    """Parse the TOML `text` of a mapping and validate it.

    `name` is the mapping's name unless the text gives one. `origin` is what error messages begin
    with, usually the path. Raises `MappingError` that names the key and the fix.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{origin}: not valid TOML: {error}") from None
    mapping = _mapping(raw, name, origin)
    validate(mapping)
    return mapping


def _mapping(raw: dict[str, Any], name: str, origin: str) -> Mapping:
    fields = raw.get("fields")
    if not isinstance(fields, dict) or not fields:
        raise MappingError(f'{origin}: fields: missing; add a table [fields] with lines such as customer = "caller_id"')
    converted = {field: _field_mapping(origin, field, value) for field, value in fields.items()}
    rest = {"name": name, **raw, "fields": {}, "origin": origin}
    return msgspec.structs.replace(_convert(origin, "", rest, Mapping), fields=converted)


def _field_mapping(origin: str, field: str, raw: Any) -> FieldMapping:
    return _convert(origin, f"fields.{field}", {"column": raw} if isinstance(raw, str) else raw, FieldMapping)


def _convert(origin: str, key: str, raw: Any, struct: type[T]) -> T:
    try:
        return msgspec.convert(raw, struct)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        where = ".".join(part for part in (key, path.strip("`.")) if part) or "the mapping"
        raise MappingError(f"{origin}: {where}: {text}; docs/importing.md lists the valid keys") from None
