"""Checks that every value fits into its column; the database would silently wrap or clamp one that does not."""

from datetime import UTC, datetime
from functools import cache

import msgspec
from msgspec import inspect

FIRST = datetime(1900, 1, 1, tzinfo=UTC)
LAST = datetime(2299, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
"""The first and the last time that every version of ClickHouse keeps in a DateTime64(3)."""
_WIDEST = 2**63
_ALWAYS_FIT = (inspect.StrType, inspect.BoolType, inspect.FloatType, inspect.NoneType, inspect.LiteralType)


def unstorable(record: msgspec.Struct) -> tuple[str, str] | None:
    """The first field that a column cannot hold exactly, and why; None when all fit.

    >>> from schemas.pane import Watermark
    >>> unstorable(Watermark(topic="cx.calls.v1", partition=0, offset=2**63, time=None))
    ('offset', '9223372036854775808 does not fit into 64 bits')
    """
    for name in _checked(type(record)):
        problem = _problem(getattr(record, name))
        if problem:
            return name, problem
    return None


@cache
def _checked(record: type[msgspec.Struct]) -> tuple[str, ...]:
    info = inspect.type_info(record)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{record.__name__} is not a struct")
    return tuple(field.name for field in info.fields if not _always_fits(field.type))


def _always_fits(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.Metadata):
        return _always_fits(kind.type)
    if isinstance(kind, inspect.UnionType):
        return all(map(_always_fits, kind.types))
    if isinstance(kind, inspect.IntType):
        return kind.ge is not None and kind.le is not None and kind.le < _WIDEST
    return isinstance(kind, _ALWAYS_FIT)


def _problem(value: object) -> str:
    if value is None or isinstance(value, str | float):
        return ""
    if isinstance(value, int):
        return "" if -_WIDEST <= value < _WIDEST else f"{value} does not fit into 64 bits"
    if isinstance(value, datetime):
        return "" if FIRST <= value <= LAST else f"{value.isoformat()} is not between the years 1900 and 2299"
    if isinstance(value, dict):
        return next(filter(None, map(_problem, (*value.keys(), *value.values()))), "")
    if isinstance(value, list):
        return next(filter(None, map(_problem, value)), "")
    if isinstance(value, msgspec.Struct):
        return ": ".join(unstorable(value) or ())
    raise TypeError(f"no rule for storing {type(value).__name__}; add one to sinks/clickhouse/storable.py")
