"""Event-time buckets of three resolutions, and the window lengths built from them."""

import re
from dataclasses import dataclass

RESOLUTIONS_S = (10, 300, 3600)
"""Widths of the panes in seconds."""

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_COARSEST = ((3600, 10), (86_400, 300))


@dataclass(frozen=True, order=True)
class Span:
    """A length of time, with the name the user gave it."""

    seconds: int
    name: str

    @property
    def resolution_s(self) -> int:
        """The width in seconds of the panes a window of this length is made of.

        Up to an hour 10 s, up to a day 5 min, beyond that 1 h; finer where that would not divide it.
        """
        fitting = next((width for longest, width in _COARSEST if self.seconds <= longest), RESOLUTIONS_S[-1])
        return next(w for w in reversed(RESOLUTIONS_S) if w <= fitting and self.seconds % w == 0)


def parse_span(text: str) -> Span:
    """A duration such as 10s, 5m (or 5min), 24h, 30d; a positive multiple of 10 s.

    Raises `ValueError` for anything else.

    >>> parse_span("24h").seconds, parse_span("24h").resolution
    (86400, 300)
    """
    match = re.fullmatch(r"([1-9][0-9]{0,8})(s|m|min|h|d)", text) if isinstance(text, str) else None
    if not match:
        raise ValueError(f"not a duration: {text!r}; write for example 60s, 5m, 24h or 30d")
    seconds = int(match[1]) * _UNITS[match[2]]
    if seconds % RESOLUTIONS_S[0]:
        raise ValueError(f"{text} is not a multiple of {RESOLUTIONS_S[0]} s, the finest pane")
    return Span(seconds, text)


def pane_start(time_ms: int, resolution: int) -> int:
    """Start of the pane of `resolution` seconds that holds `time_ms`, in milliseconds.

    >>> pane_start(1_234_567, 10)
    1230000
    """
    return time_ms - time_ms % (resolution * 1000)
