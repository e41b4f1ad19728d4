"""Finds the changes of a record's schema that break its senders or its readers.

Readers ignore unknown fields, so a new optional field is no breaking change.
"""

from collections.abc import Iterable
from typing import Any

from schemas.catalogue import Role

Schema = dict[str, Any]

_LOWER = ("minimum", "minLength")
_UPPER = ("maximum", "maxLength")
_SAME = ("pattern", "format")


def breaks(old: Schema, new: Schema, role: Role) -> list[str]:
    """The breaking changes from `old` to `new`, one line each with the path of the field.

    A source is sent by others: what was valid must stay valid. A derived record is read by others: what is written
    now must have been valid before. In both no field may be removed.

    >>> before = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    >>> breaks(before, {"type": "object", "properties": {"n": {"type": ["integer", "null"]}}}, "derived")
    ['n: no longer required', 'n: null is new']
    """
    removed = _removed_fields(_Node(old, old), _Node(new, new), "")
    wide, narrow = (old, new) if role == "source" else (new, old)
    return removed + _Narrowing(role).of(_Node(wide, wide), _Node(narrow, narrow), "")


class _Node:
    """A schema within its document; references are followed."""

    def __init__(self, schema: Schema, root: Schema) -> None:
        while "$ref" in schema:
            schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        self.schema = schema
        self.root = root

    def alternatives(self) -> "list[_Node]":
        """One node for each alternative of `anyOf` and each type; a schema without either is its only alternative."""
        if "anyOf" in self.schema:
            return [node for part in self.schema["anyOf"] for node in self.at(part).alternatives()]
        if "enum" in self.schema and "type" not in self.schema:
            return [self.at({**self.schema, "type": "string"})]
        types = self.schema.get("type")
        if isinstance(types, list):
            return [self.at({**self.schema, "type": name}) for name in types]
        return [self]

    def at(self, schema: Schema) -> "_Node":
        """Another schema of the same document."""
        return _Node(schema, self.root)

    def children(self) -> "dict[str, _Node]":
        """The schemas of the parts: fields by name, items as `[]`, other members as `{}`."""
        parts = dict(self.schema.get("properties", {}))
        parts |= {"[]": self.schema["items"]} if isinstance(self.schema.get("items"), dict) else {}
        others = self.schema.get("additionalProperties")
        parts |= {"{}": others} if isinstance(others, dict) else {}
        return {name: self.at(part) for name, part in parts.items()}

    @property
    def name(self) -> str:
        """Its name in messages."""
        return str(self.schema.get("title") or self.schema.get("type", "anything"))


class _Narrowing:
    """Finds values that the wide schema allows and the narrow one does not.

    For a source the old schema is the wide one: its values must still be allowed. For a derived record it is the new
    one: its values must have been allowed before.
    """

    def __init__(self, role: Role) -> None:
        self.role = role
        self.required = "is required now" if role == "source" else "no longer required"
        self.outside = "{} is refused now" if role == "source" else "{} is new"

    def of(self, wide: _Node, narrow: _Node, path: str) -> list[str]:
        """One line for each difference that `wide` allows and `narrow` does not."""
        options = narrow.alternatives()
        found: list[str] = []
        for alternative in wide.alternatives():
            # the alternative that fits best explains the difference; against the others nearly everything differs
            found += _fewest(self._alternative(alternative, option, path) for option in options)
        return found

    def _alternative(self, wide: _Node, narrow: _Node, path: str) -> list[str]:
        if not _is_within(wide.schema.get("type"), narrow.schema.get("type")):
            return [_line(path, self.outside.format(wide.name))]
        limits = [self._limit(k, wide.schema, narrow.schema) for k in _limits(wide.schema, narrow.schema)]
        values = [self.outside.format(value) for value in _values(wide.schema, narrow.schema)]
        return [_line(path, text) for text in limits + values] + self._members(wide, narrow, path)

    def _limit(self, keyword: str, wide: Schema, narrow: Schema) -> str:
        old, new = (wide, narrow) if self.role == "source" else (narrow, wide)
        return f"{keyword} was {old.get(keyword, 'none')}, is {new.get(keyword, 'none')}"

    def _members(self, wide: _Node, narrow: _Node, path: str) -> list[str]:
        required = [n for n in narrow.schema.get("required", []) if n not in wide.schema.get("required", [])]
        found = [_line(_join(path, name), self.required) for name in required]
        parts = wide.children()
        for name, part in narrow.children().items():
            found += self.of(parts[name], part, _join(path, name)) if name in parts else []
        return found


def _removed_fields(old: _Node, new: _Node, path: str) -> list[str]:
    """Fields of `old`, at any depth, that `new` does not have."""
    kept = _fields(new)
    found = []
    for name, parts in _fields(old).items():
        if name not in kept:
            found.append(_line(_join(path, name), "removed"))
        else:
            found += _fewest(_removed_fields(part, same, _join(path, name)) for part in parts for same in kept[name])
    return found


def _fields(node: _Node) -> dict[str, list[_Node]]:
    fields: dict[str, list[_Node]] = {}
    for alternative in node.alternatives():
        for name, part in alternative.children().items():
            fields.setdefault(name, []).append(part)
    return fields


def _fewest(candidates: Iterable[list[str]]) -> list[str]:
    return min(candidates, key=len)


def _is_within(wide: str | None, narrow: str | None) -> bool:
    return narrow is None or wide == narrow or (wide == "integer" and narrow == "number")


def _limits(wide: Schema, narrow: Schema) -> list[str]:
    lower = [k for k in _LOWER if k in narrow and wide.get(k, float("-inf")) < narrow[k]]
    upper = [k for k in _UPPER if k in narrow and wide.get(k, float("inf")) > narrow[k]]
    return lower + upper + [k for k in _SAME if k in narrow and wide.get(k) != narrow[k]]


def _values(wide: Schema, narrow: Schema) -> list[str]:
    if "enum" in narrow and "enum" not in wide:
        return ["any other value"]
    more = [value for value in wide.get("enum", []) if "enum" in narrow and value not in narrow["enum"]]
    rules = [rule for rule in narrow.get("allOf", []) if rule not in wide.get("allOf", [])]
    return [repr(value) for value in more] + [f"a record that breaks the rule {rule}" for rule in rules]


def _join(path: str, name: str) -> str:
    return f"{path}{name}" if name in ("[]", "{}") else f"{path}.{name}".removeprefix(".")


def _line(path: str, change: str) -> str:
    return f"{path or 'record'}: {change}"
