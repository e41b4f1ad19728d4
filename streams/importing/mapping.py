"""Mappings: which column of an export becomes which field of an event."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

Scalar = str | int | float | bool
Condition = dict[str, Scalar | list[Scalar]]
"""Column names, each with the value, or the list of values, that a row must have there."""
TableFormat = Literal["csv", "tsv", "ndjson"]
DurationUnit = Literal["us", "ms", "s", "min"]
MappingName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
DropReason = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class _MappingPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all parts of a mapping; an unknown key is an error."""


class FieldMapping(_MappingPart, frozen=True, kw_only=True):
    """Where the value of one field of an event comes from.

    A valid field mapping has exactly one of six sources: `column`; several `columns` joined by
    `join`; a constant `value`; the seconds from `begin` to `end`; the latest time of day among the
    columns `latest` on the day of `date`; or the first of the `cases` that holds. `values` and
    `otherwise` translate the value, `missing` adds texts that mean "no value", `format` is the time
    format and `unit` the unit of a duration.
    """

    column: str = ""
    columns: list[str] = []
    join: str | None = None
    value: Scalar | None = None
    values: dict[str, Scalar] = {}
    otherwise: Scalar | None = None
    missing: list[str] = []
    format: str = ""
    unit: DurationUnit = "s"
    begin: str = ""
    end: str = ""
    date: str = ""
    latest: list[str] = []
    cases: list["FieldCase"] = []


class FieldCase(FieldMapping, frozen=True, kw_only=True):
    """A field mapping for the rows that fulfil the condition `when`.

    The last case of a list may omit `when`; it then applies to all remaining rows.
    """

    when: Condition = {}


class DropRule(_MappingPart, frozen=True, kw_only=True):
    """Rows that are not events; they are counted under `reason`."""

    reason: DropReason
    where: Annotated[Condition, msgspec.Meta(min_length=1)]


class InventedCustomers(_MappingPart, frozen=True, kw_only=True):
    """Assigns each row to one of `invent` customers that do not exist, called `name`-1, `name`-2 and so on."""

    invent: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
    name: MappingName = "invented"


class Mapping(_MappingPart, frozen=True, kw_only=True):
    """One mapping file. `docs/importing.md` explains every key.

    `origin` is the name or path that error messages begin with.
    """

    name: MappingName
    topic: str
    fields: dict[str, FieldMapping]
    format: TableFormat | Literal[""] = ""
    delimiter: Annotated[str, msgspec.Meta(max_length=1)] = ""
    quote: Annotated[str, msgspec.Meta(max_length=1)] = '"'
    encoding: str = "utf-8-sig"
    zone: str = ""
    fold: Literal["reject", "first", "second"] = "reject"
    gap: Literal["reject", "forward"] = "reject"
    time_format: str = "iso"
    missing: list[str] = msgspec.field(default_factory=lambda: [""])
    drop: list[DropRule] = []
    customers: InventedCustomers | None = None
    origin: str = ""


def with_cases(key: str, field: FieldMapping) -> Iterator[tuple[str, FieldMapping]]:
    """A field mapping and all cases below it, each with its key in the mapping file."""
    yield key, field
    for number, case in enumerate(field.cases):
        yield from with_cases(f"{key}.cases[{number}]", case)
