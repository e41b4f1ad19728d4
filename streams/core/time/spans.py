"""Spans: the lengths of windows, as users write them."""

import re
from dataclasses import dataclass

from streams.core.time.panes import RESOLUTIONS_S

_UNIT_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}

_COARSEST_S = ((3600, 10), (86_400, 300))
"""Up to a span of this many seconds, panes are at most so wide."""


@dataclass(frozen=True, order=True)
class Span:
    """A length of time, with the name the user gave it."""

    seconds: int
    name: str

    @property
    def resolution_s(self) -> int:
        """The width in seconds of the panes that a window of this length is made of.

        10 s up to an hour, 5 min up to a day, 1 h beyond that. A width that does not divide the length is replaced by
        the next finer one that does, because a window holds whole panes only.
        """
        coarsest = next((width for longest, width in _COARSEST_S if self.seconds <= longest), RESOLUTIONS_S[-1])
        return next(w for w in reversed(RESOLUTIONS_S) if w <= coarsest and self.seconds % w == 0)


def parse_span(text: str) -> Span:
    """Read a duration such as 10s, 5m (or 5min), 24h or 30d: a positive multiple of 10 s.

    Raises `ValueError` for anything else.

    >>> parse_span("24h").seconds, parse_span("24h").resolution_s
    (86400, 300)
    """
    match = re.fullmatch(r"([1-9][0-9]{0,8})(s|m|min|h|d)", text) if isinstance(text, str) else None
    if not match:
        raise ValueError(f"not a duration: {text!r}; write for example 60s, 5m, 24h or 30d")
    seconds = int(match[1]) * _UNIT_SECONDS[match[2]]
    if seconds % RESOLUTIONS_S[0]:
        raise ValueError(f"{text} is not a multiple of {RESOLUTIONS_S[0]} s, the finest pane")
    return Span(seconds, text)
