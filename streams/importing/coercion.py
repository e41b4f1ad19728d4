"""Coercion of a text or JSON value of an export to the type of a field.

A value that cannot be coerced is returned unchanged, so that the decoder of the topic rejects it
with the same reason as the stream would.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from streams.importing.field_types import FieldType

_TICKS_PER_SECOND = {"us": 1_000_000, "ms": 1_000, "s": 1}
_INTEGER = re.compile(r"-?[0-9]{1,19}")


def duration_s(value: Any, unit: str) -> Any:
    """A number as it is, or a duration of another unit in seconds.

    >>> duration_s("1500", "ms"), duration_s(2, "min"), duration_s("soon", "s")
    (1.5, 120, 'soon')
    """
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        return value
    return number * 60 if unit == "min" else number / _TICKS_PER_SECOND[unit]


def plain(value: Any) -> str:
    """The text under which conditions and translations look a value up.

    >>> plain(True), plain(None), plain(3)
    ('true', '', '3')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _integer(value: Any) -> Any:
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value


def _boolean(value: Any) -> Any:
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


COERCIONS: dict[FieldType, Callable[[Any], Any]] = {"integer": _integer, "boolean": _boolean, "text": _text}
"""Coercions to the field types that need neither a unit nor a time format."""
