"""What the core keeps of an event: a tuple of integers, and the rules by which values become integers."""

import math
from datetime import datetime
from hashlib import blake2b

from streams.core.time.instants import to_ms

RecordFields = tuple[int, ...]
"""The code of the source, then the fields that the source's declaration lists, in that order."""

UNKNOWN = -1
"""Stands for whatever the event does not say."""

_LARGEST = 2**53


def codes_of(names: tuple[str, ...]) -> dict[str, int]:
    """The code of each name of an enumeration: its position. Codes are written into state: append, never move."""
    return {name: code for code, name in enumerate(names)}


def stable_number(name: str) -> int:
    """A number below 2⁴⁸ that stands for a name, the same in every process.

    >>> stable_number("INC0000045")
    251275761280098
    """
    return int.from_bytes(blake2b(name.encode(), digest_size=6).digest(), "big")


def ms_or_unknown(instant: datetime | None) -> int:
    """Milliseconds since 1970; `UNKNOWN` for no time and for any before 1970."""
    return UNKNOWN if instant is None else max(to_ms(instant), UNKNOWN)


def count_or_unknown(count: int | None) -> int:
    """The count itself; `UNKNOWN` where it is missing, because a missing count is not 0."""
    return UNKNOWN if count is None else count


def scaled(value: float | None, scale: int) -> int:
    """`value` in units of 1/`scale`; `UNKNOWN` where it is negative, not finite or beyond 2⁵³ of them.

    >>> scaled(12.5, 1000), scaled(-1.0, 1000)
    (12500, -1)
    """
    if value is None or not math.isfinite(value) or not 0 <= value <= _LARGEST / scale:
        return UNKNOWN
    return round(value * scale)
