"""Mapping files: which column of an export becomes which field of an event."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from streams.errors import MappingError

T = TypeVar("T")
Scalar = str | int | float | bool
Condition = dict[str, Scalar | list[Scalar]]
Format = Literal["", "csv", "tsv", "ndjson"]
Unit = Literal["us", "ms", "s", "min"]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Reason = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all parts of a mapping: unknown keys are errors, not surprises."""


class Field(_Table, frozen=True, kw_only=True):
    """Where the value of one field comes from; exactly one source of the six.

    `column`, or several `columns` joined by `join`; a constant `value`; the seconds from `begin` to
    `end`; the latest clock time of the columns `latest` on the day of `date`; or the first of the
    `cases` that fits. `values` and `otherwise` translate, `missing` adds markers, `format` reads
    times, `unit` is that of a duration.
    """

    column: str = ""
    columns: list[str] = []
    join: str | None = None
    value: Scalar | None = None
    values: dict[str, Scalar] = {}
    otherwise: Scalar | None = None
    missing: list[str] = []
    format: str = ""
    unit: Unit = "s"
    begin: str = ""
    end: str = ""
    date: str = ""
    latest: list[str] = []
    cases: list["Case"] = []


class Case(Field, frozen=True, kw_only=True):
    """A field that holds for rows of which every column of `when` has the value (or one of them).

    The last case of a list may do without, and holds for all others.
    """

    when: Condition = {}


class Drop(_Table, frozen=True, kw_only=True):
    """Rows that are no events, counted under `reason`."""

    reason: Reason
    where: Annotated[Condition, msgspec.Meta(min_length=1)]


class Customers(_Table, frozen=True, kw_only=True):
    """Assign each row to one of `invent` customers that do not exist, called `name`-1 and so on."""

    invent: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)]
    name: Name = "invented"


class Plan(_Table, frozen=True, kw_only=True):
    """One mapping, checked; `origin` is where it was read. See `docs/importing.md` for every key."""

    name: Name
    topic: str
    fields: dict[str, Field]
    format: Format = ""
    delimiter: Annotated[str, msgspec.Meta(max_length=1)] = ""
    quote: Annotated[str, msgspec.Meta(max_length=1)] = '"'
    encoding: str = "utf-8-sig"
    zone: str = ""
    fold: Literal["reject", "first", "second"] = "reject"
    gap: Literal["reject", "forward"] = "reject"
    time_format: str = "iso"
    missing: list[str] = msgspec.field(default_factory=lambda: [""])
    drop: list[Drop] = []
    customers: Customers | None = None
    origin: str = ""


def load_mapping(name_or_path: str | Path) -> Plan:
    """Read a bundled mapping by its name, or one's own by its path, and check it.

    Raises `MappingError` naming the key and the fix.
    """
    from streams.importing.validation import check

    origin, text = _read(str(name_or_path))
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{origin}: not valid TOML: {error}") from None
    plan = _plan(origin, raw)
    check(plan)
    return plan


def bundled() -> list[str]:
    """Names of the mappings that come with cxstream."""
    folder = files("streams.importing") / "mappings"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def _read(name: str) -> tuple[str, str]:
    if name in bundled():
        return name, (files("streams.importing") / "mappings" / f"{name}.toml").read_text("utf-8")
    try:
        return name, Path(name).read_text("utf-8")
    except FileNotFoundError:
        raise MappingError(
            f"{name}: no such mapping; give the path of a TOML file, or one of {', '.join(bundled())}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{name}: cannot be read as a TOML file: {error}") from None


def _plan(origin: str, raw: dict[str, Any]) -> Plan:
    fields = raw.get("fields")
    if not isinstance(fields, dict) or not fields:
        raise MappingError(f'{origin}: fields: missing; add a table [fields] with lines such as customer = "caller_id"')
    made = {name: _field(origin, name, spec) for name, spec in fields.items()}
    rest = {"name": Path(origin).stem, **raw, "fields": {}, "origin": origin}
    return msgspec.structs.replace(_convert(origin, "", rest, Plan), fields=made)


def _field(origin: str, name: str, spec: Any) -> Field:
    return _convert(origin, f"fields.{name}", {"column": spec} if isinstance(spec, str) else spec, Field)


def _convert(origin: str, key: str, raw: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        where = ".".join(part for part in (key, path.strip("`.")) if part) or "the mapping"
        raise MappingError(f"{origin}: {where}: {text}; see docs/importing.md for the keys there are") from None
