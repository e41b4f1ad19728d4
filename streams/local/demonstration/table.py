"""The scores as a table: the total first, then a row for each touchpoint, with two windows side by side."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple

from rich.table import Table

from schemas.score import Score
from streams.core.statistics.intervals import adjusted_wald_nps
from streams.local.demonstration.scores import Scores

REFERENCE_WINDOW = "7d"
"""The window whose earlier part a drop is measured against."""

NO_VALUE = "–"
"""Shown in place of a missing value, which is not 0."""

_LEGEND = "▼ total: interval clear below the total's   ▼ 7d: below its own 7 days before"


class Row:
    """The values of one cell."""

    def __init__(self, scores: Scores, cut: str, cell: str, window: str) -> None:
        self.cut, self.cell = cut, cell
        self.nps = scores.find("nps", cut, cell, window)
        self.reference = scores.find("nps", cut, cell, REFERENCE_WINDOW)
        self.csat, self.ces, self.response, self.risk = (
            scores.find(name, cut, cell, window) for name in ("csat", "ces2", "response_rate", "churn_risk")
        )
        self._total = scores.find("nps", "total", "all", window)

    @property
    def drops(self) -> list[str]:
        """The intervals that its NPS interval lies entirely below.

        `total`: all cells in the same window; `7d`: the cell's own 7 days before this window.
        """
        total = None if self._total is None else self._total.lower
        lower_ends = {"total": total, REFERENCE_WINDOW: self._lower_before}
        return [name for name, lower in lower_ends.items() if self._is_below(lower)]

    @property
    def _lower_before(self) -> float | None:
        """The lower end of its interval over the 7 days less the window of the table, which is a part of them."""
        if self.nps is None or self.reference is None or self.reference.n <= self.nps.n:
            return None
        before = {name: number - self.nps.counts[name] for name, number in self.reference.counts.items()}
        if min(before.values()) < 0:
            return None  # the newer result of one of the two windows is not published yet
        return adjusted_wald_nps(before["promoters"], before["detractors"], sum(before.values()))[0]

    def _is_below(self, lower: float | None) -> bool:
        return self.nps is not None and self.nps.upper is not None and lower is not None and self.nps.upper < lower


def rows(scores: Scores, window: str) -> list[Row]:
    """The total and all touchpoints."""
    return [
        Row(scores, "total", "all", window),
        *(Row(scores, "touchpoint", cell, window) for cell in scores.cells("touchpoint")),
    ]


def table(scores: Scores, window: str, now: datetime, width: int) -> Table:
    """All rows, for a screen `width` columns wide; a narrow screen gets fewer columns."""
    columns = _fitting(_columns(window, now), width)
    result = Table(box=None, padding=(0, 1), caption=_LEGEND, caption_style="dim", caption_justify="left")
    for column in columns:
        result.add_column(column.name, no_wrap=True, justify=column.justify, min_width=column.width)
    for row in rows(scores, window):
        result.add_row(*(column.text(row) for column in columns), style=_style(row))
    return result


def points(value: float | None) -> str:
    """NPS in whole points with a sign.

    >>> points(-12.4), points(None)
    ('−12', '–')
    """
    return NO_VALUE if value is None else f"{round(value):+d}".replace("-", "−").replace("+0", "0")


class _Column(NamedTuple):
    """One column; columns with the highest `rank` are left out first on a narrow screen."""

    name: str
    width: int
    rank: int
    text: Callable[[Row], str]
    justify: Literal["left", "right"] = "right"


def _columns(window: str, now: datetime) -> list[_Column]:
    return [
        _Column("touchpoint", 14, 0, lambda row: "total" if row.cut == "total" else row.cell, "left"),
        _Column(f"NPS {window}", 4 + len(window), 0, lambda row: _nps(row.nps)),
        _Column("95 % interval", 13, 1, lambda row: _interval(row.nps)),
        _Column("n", 5, 0, lambda row: _count(row.nps)),
        _Column("age", 6, 6, lambda row: _age(row.nps, now)),
        _Column(f"NPS {REFERENCE_WINDOW}", 6, 0, lambda row: _nps(row.reference)),
        _Column("n", 5, 7, lambda row: _count(row.reference)),
        _Column("CSAT", 4, 3, lambda row: _share(row.csat)),
        _Column("CES", 3, 4, lambda row: _mean(row.ces)),
        _Column("response", 8, 5, lambda row: _share(row.response)),
        _Column("risk", 4, 2, lambda row: _share(row.risk)),
        _Column("", 12, 0, lambda row: " ".join(f"▼ {name}" for name in row.drops), "left"),
    ]


def _fitting(columns: list[_Column], width: int) -> list[_Column]:
    while sum(column.width + 2 for column in columns) > width and any(column.rank for column in columns):
        last = max(column.rank for column in columns)
        columns = [column for column in columns if column.rank < last]
    return columns


def _style(row: Row) -> str:
    if row.cut == "total":
        return "bold"
    return {0: "", 1: "yellow"}.get(len(row.drops), "red")


def _nps(score: Score | None) -> str:
    return points(score.value) if score else NO_VALUE


def _interval(score: Score | None) -> str:
    return f"{points(score.lower)} … {points(score.upper)}" if score else NO_VALUE


def _count(score: Score | None) -> str:
    return f"{score.n:,}" if score else NO_VALUE


def _mean(score: Score | None) -> str:
    return f"{score.value:.1f}" if score and score.value is not None else NO_VALUE


def _share(score: Score | None) -> str:
    return f"{score.value:.0%}" if score and score.value is not None else NO_VALUE


def _age(score: Score | None, now: datetime) -> str:
    if score is None or score.last_event is None:
        return NO_VALUE
    seconds = max(0, round((now - score.last_event).total_seconds()))
    return f"{seconds} s" if seconds < 100 else f"{seconds // 60} min"
