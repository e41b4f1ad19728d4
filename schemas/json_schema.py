"""JSON Schema (draft 2020-12) of the records of each topic, including the checks written in the structs."""

import inspect
from functools import reduce
from operator import or_
from typing import Any, cast

import msgspec

from schemas.catalogue import Topic
from schemas.survey import SCALES, Survey

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_CLOCK = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
SENT_TIME: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": _CLOCK + "([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])$",
}
"""A time in a source event: the zone is required. A space and `+0200` are accepted although RFC 3339 has neither."""
WRITTEN_TIME: Schema = {"type": "string", "format": "date-time", "pattern": _CLOCK.replace("[Tt ]", "T") + "Z$"}
"""A time written by cxstream: always UTC."""


def record_schema(topic: Topic) -> Schema:
    """The schema of the values of one topic, self-contained, with its structs under `$defs`.

    It states everything that decoding checks, except what JSON Schema cannot express: the limits on size and depth,
    UTF-8, and that a whole number is written without a fraction (`10`, not `10.0`).
    """
    schema = msgspec.json.schema(topic.record)
    schema.pop("discriminator", None)  # a keyword of OpenAPI; the tag is also an enum of one value, which says the same
    structs = _structs(msgspec.inspect.type_info(topic.record))
    definitions = {name: _definition(schema["$defs"][name], struct, topic) for name, struct in sorted(structs.items())}
    head = {"$schema": DIALECT, "$id": f"urn:cxstream:{topic.name}", "title": topic.name, "description": topic.doc}
    return {**head, **schema, "$defs": definitions}


def _structs(info: msgspec.inspect.Type) -> dict[str, type]:
    """All structs within a type, by name."""
    match info:
        case msgspec.inspect.StructType():
            inner = [_structs(field.type) for field in info.fields]
            return reduce(or_, inner, {info.cls.__name__: info.cls})
        case msgspec.inspect.UnionType():
            return reduce(or_, map(_structs, info.types))
        case msgspec.inspect.ListType():
            return _structs(info.item_type)
    return {}


def _definition(definition: Schema, struct: type, topic: Topic) -> Schema:
    time_schema = SENT_TIME if topic.role == "source" else WRITTEN_TIME
    properties: Schema = dict(definition["properties"])
    for field in _fields(struct):
        properties[field.encode_name] = _completed(properties[field.encode_name], field.type, time_schema)
    rules = {"allOf": _survey_rules()} if struct is Survey else {}
    return {**definition, "description": inspect.getdoc(struct), "properties": properties, **rules}


def _fields(struct: type) -> tuple[msgspec.inspect.Field, ...]:
    return cast(msgspec.inspect.StructType, msgspec.inspect.type_info(struct)).fields


def _completed(schema: Schema, info: msgspec.inspect.Type, time_schema: Schema) -> Schema:
    """The schema with the parts that msgspec leaves out: the form of times, and that keys are whole numbers."""
    match _bare(info):
        case msgspec.inspect.DateTimeType():
            return {**schema, **time_schema}
        case msgspec.inspect.DictType(key_type=key, value_type=value):
            keys = {"propertyNames": {"pattern": "^-?[0-9]+$"}} if isinstance(key, msgspec.inspect.IntType) else {}
            values = _completed(schema["additionalProperties"], value, time_schema)
            return {**schema, **keys, "additionalProperties": values}
        case msgspec.inspect.UnionType(types=types) if any(map(_is_time, types)):
            cases = [{**case, **time_schema} if case["type"] == "string" else case for case in schema["anyOf"]]
            return {**schema, "anyOf": cases}
    return schema


def _is_time(info: msgspec.inspect.Type) -> bool:
    return isinstance(_bare(info), msgspec.inspect.DateTimeType)


def _bare(info: msgspec.inspect.Type) -> msgspec.inspect.Type:
    return _bare(info.type) if isinstance(info, msgspec.inspect.Metadata) else info


def _survey_rules() -> list[Schema]:
    """The checks of `Survey.__post_init__`."""
    answered = {"properties": {"state": {"const": "answered"}}}  # also without a state, because it is the default
    scored = {"required": ["score"], "properties": {"score": {"type": ["integer", "string"]}}}
    return [{"if": answered, "then": scored}, *(_scale_rule(kind, *scale) for kind, scale in SCALES.items())]


def _scale_rule(kind: str, low: int, high: int) -> Schema:
    text = "|".join(f"0?{n}" if n < 10 else str(n) for n in range(low, high + 1))
    number = {"type": "integer", "minimum": low, "maximum": high}
    score = {"anyOf": [number, {"type": "string", "pattern": f"^({text})$"}, {"type": "null"}]}
    return {
        "if": {"required": ["kind"], "properties": {"kind": {"const": kind}}},
        "then": {"properties": {"score": score, "scale": {"enum": ["", f"{low}-{high}"]}}},
    }
