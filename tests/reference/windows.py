"""Windows, their boundaries, their cells, and the rows of results."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypedDict

from tests.reference.cases import CASE, MEMBER
from tests.reference.compared import COMPARISONS
from tests.reference.events import Event
from tests.reference.levels import Ever
from tests.reference.scores import LEVELS, SUMMARIES, Facts
from tests.reference.summary import Summary

UNITS = {"s": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


class Row(TypedDict):
    """What a record of `cx.scores.v1` says, values rounded to 6 decimals."""

    score: str
    cut: str
    cell: str
    window: str
    start: str
    end: str
    value: float | None
    lower: float | None
    upper: float | None
    n: int
    counts: dict[str, int]


@cache
def span_ms(span: str) -> int:
    match = re.fullmatch(r"(\d+)(s|m|min|h|d)", span)
    if not match:
        raise ValueError(f"not a duration: {span!r}")
    return int(match[1]) * UNITS[match[2]]


def resolution_of(length: int) -> int:
    """Width of the panes of a window, both in ms."""
    coarse = 10_000 if length <= UNITS["h"] else 300_000 if length <= UNITS["d"] else UNITS["h"]
    return max(width for width in (10_000, 300_000, 3_600_000) if width <= coarse and length % width == 0)


def moment_of(ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).isoformat().replace("+00:00", "Z")


def boundary_after(ms: int, window: str) -> int:
    width = resolution_of(span_ms(window))
    return ms - ms % width + width


def is_boundary(ms: int, window: str) -> bool:
    return ms % resolution_of(span_ms(window)) == 0


def rows_of(
    window: str,
    end: int,
    cuts: Iterable[str],
    records: Iterable[tuple[Event, Facts]],
    history: dict[str, Ever],
) -> list[Row]:
    """The scores of every cell, given what the window contains, and what levels are made of up to its end."""
    counted = [(event, facts) for event, facts in records if _is_scored(facts)]
    bounds = (end - span_ms(window), end)
    return [
        row
        for cut in cuts
        for cell, (facts, ever) in _both(_cells(cut, counted), history[cut]).items()
        for row in _scores(cut, cell, window, bounds, facts, ever)
    ]


def _both(now: dict[str, list[Facts]], ever: Ever) -> dict[str, tuple[list[Facts], Counter[Facts]]]:
    return {cell: (now.get(cell, []), ever.get(cell, Counter())) for cell in now.keys() | ever.keys()}


def compared_rows_of(
    window: str,
    end: int,
    cuts: Iterable[str],
    now: Iterable[tuple[Event, Facts]],
    before: Iterable[tuple[Event, Facts]],
) -> list[Row]:
    """The scores that compare cells, given what the window contains and the time before it."""
    bounds = (end - span_ms(window), end)
    records = [(event, facts) for event, facts in now if _is_scored(facts)]
    earlier = [(event, facts) for event, facts in before if _is_scored(facts)]
    sides = [
        {(cut, cell): facts for cut in cuts for cell, facts in _cells(cut, side).items()} for side in (records, earlier)
    ]
    return [
        _row(name, cut, cell, window, bounds, summary)
        for name, compare in COMPARISONS.items()
        for (cut, cell), summary in compare(*sides).items()
    ]


@cache
def _is_scored(facts: Facts) -> bool:
    return facts[0] in (CASE, MEMBER) or any(summarize([facts]) is not None for summarize in SUMMARIES.values())


def _cells(cut: str, records: list[tuple[Event, Facts]]) -> dict[str, list[Facts]]:
    cells: dict[str, list[Facts]] = defaultdict(list)
    for event, facts in records:
        cell = cell_of(cut, event)
        if cell is not None:
            cells[cell].append(facts)
    return cells


def cell_of(cut: str, event: Event) -> str | None:
    if cut == "total":
        return "all"
    values = [event.dims[name] for name in cut.split("+")]
    if "" in values:
        return None
    return values[0] if len(values) == 1 else "+".join(value.replace("+", "++") for value in values)


def _scores(
    cut: str, cell: str, window: str, bounds: tuple[int, int], records: list[Facts], ever: Counter[Facts]
) -> list[Row]:
    summaries = {name: summarize(records) for name, summarize in SUMMARIES.items()}
    summaries |= {name: summarize(records, ever) for name, summarize in LEVELS.items()}
    return [_row(name, cut, cell, window, bounds, s) for name, s in summaries.items() if s is not None]


def _row(name: str, cut: str, cell: str, window: str, bounds: tuple[int, int], s: Summary) -> Row:
    start, end = map(moment_of, bounds)
    return Row(
        score=name,
        cut=cut,
        cell=cell,
        window=window,
        start=start,
        end=end,
        value=None if s.value is None else round(s.value, 6),
        lower=None if s.lower is None else round(s.lower, 6),
        upper=None if s.upper is None else round(s.upper, 6),
        n=s.n,
        counts=s.counts,
    )
