"""From the accumulators of a window to the records that are published."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from schemas.score import Score as Record
from streams.core.contributions import by_score
from streams.core.held import OF_DERIVED, OF_EVENTS, Cell, Shown
from streams.core.panes import Span
from streams.core.partials import Counts
from streams.core.scores import SCORES, Result, Score, StockScore
from streams.core.sources import moment

CellName = tuple[str, str]
"""Cut and cell."""


@dataclass(frozen=True)
class Window:
    """One window of one cell: its number and span, and its end (ms)."""

    index: int
    span: Span
    end: int

    @property
    def start(self) -> int:
        """When it began (ms)."""
        return self.end - self.span.seconds * 1000


def results(cell: Cell, window: Window) -> Iterator[tuple[Score, Result | None]]:
    """What every score with something to show, or shown before, has in this window."""
    acc = by_score({slot: amount for slot, amount in cell.windows[window.index].items() if slot >= 0})
    level = by_score(cell.level(window.span.resolution)) if cell.ever else {}
    for score in SCORES:
        code = score.code
        if code in acc or code in level or (window.index, code) in cell.published:
            yield score, _result(score, acc.get(code, {}), level.get(code, {}))


def news(cell: Cell, index: int, score: Score, result: Result | None, *, always: bool) -> bool:
    """Whether a result is to be published; notes it as published. Nothing is shown only in place of something."""
    before = cell.published.get((index, score.code))
    if result is None:
        if before is None or before[2] is None:
            return False
        del cell.published[index, score.code]
        return True
    now = shown(result)
    cell.published[index, score.code] = now
    return always or now != before


def record(
    name: CellName, cell: Cell, window: Window, score: Score, result: Result | None, *, final: bool, owner: str | None
) -> Record:
    """The record of a result, or of there being none any more."""
    newest = cell.newest(score.code, window.span.resolution, window.start, window.end) if result else None
    return Record(
        score=score.name,
        cut=name[0],
        cell=name[1],
        window=window.span.name,
        start=moment(window.start),
        end=moment(window.end),
        value=result.value if result else None,
        lower=result.lower if result else None,
        upper=result.upper if result else None,
        n=result.n if result else 0,
        unit=score.unit,
        counts=result.counts if result else {},
        revision=_revision(score, cell, cell.windows[window.index], result.n if final and result else None),
        final=final,
        last_event=None if newest is None else moment(newest),
        owner=owner,
    )


def shown(result: Result | Record) -> Shown:
    """What a result shows."""
    return result.n, result.counts, result.value, result.lower, result.upper


def _result(score: Score, acc: Mapping[int, int], level: Mapping[int, int]) -> Result | None:
    return score.result_at(acc, level) if isinstance(score, StockScore) else score.result(acc)


def _revision(score: Score, cell: Cell, counts: Counts, final_n: int | None) -> int:
    # how often derived records change depends on how events came in chunks, a final result must not;
    # nor on how far beyond its window the stream had read
    if final_n is not None and (score.derived or isinstance(score, StockScore)):
        return final_n
    if isinstance(score, StockScore):
        return sum(held.version for held in cell.ever.values())
    return counts.get(OF_DERIVED if score.derived else OF_EVENTS, 0)
