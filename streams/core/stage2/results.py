"""From the accumulators of a window to the records that are published."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.score import Score as Record
from streams.core.scores import ComparedScore, Result, Score, StockScore
from streams.core.scores.compared import CellName, WindowPair
from streams.core.scores.contributions import COUNTED_SCORES, by_score, score_accumulator
from streams.core.stage2.cell_state import (
    COMPARISON_CHANGES,
    DERIVED_CHANGES,
    EVENT_CHANGES,
    CellState,
    PublishedValues,
)
from streams.core.stage2.window_ranges import WindowRange
from streams.core.time.instants import to_datetime
from streams.core.time.spans import Span


@dataclass(frozen=True)
class Window:
    """One window: its span, its end (ms), and the two stretches it and the time before it are summed up in."""

    span: Span
    end: int
    current: WindowRange
    previous: WindowRange

    @property
    def index(self) -> int:
        """Which of the windows it is."""
        return self.current.window

    @property
    def start(self) -> int:
        """When it began (ms)."""
        return self.end - self.span.seconds * 1000


def cell_results(cell: CellState, window: Window) -> Iterator[tuple[Score, Result | None]]:
    """What every score with something to show, or shown before, has in this window; compared scores apart."""
    acc = by_score({slot: amount for slot, amount in cell.sums[window.current.number].items() if slot >= 0})
    level = by_score(cell.stock_at_end(window.span.resolution_s)) if cell.all_time else {}
    for score in COUNTED_SCORES:
        code = score.code
        if code in acc or code in level or (window.index, code) in cell.published:
            yield score, _result(score, acc.get(code, {}), level.get(code, {}))


def comparison_results(
    score: ComparedScore, cells: Mapping[CellName, CellState], window: Window
) -> dict[CellName, Result]:
    """What a compared score has in this window in all cells it was gathered for."""
    sides = {
        name: WindowPair(
            score_accumulator(score.code, cell.sums[window.current.number]),
            score_accumulator(score.code, cell.sums[window.previous.number]),
        )
        for name, cell in cells.items()
    }
    return score.compare({name: both for name, both in sides.items() if both.current or both.previous})


def should_publish(cell: CellState, index: int, score: Score, result: Result | None, *, always: bool) -> bool:
    """Whether a result is to be published; notes it as published. Nothing is shown only in place of something."""
    before = cell.published.get((index, score.code))
    if result is None:
        if before is None or not (before[0] or before[1]):  # nothing had been shown, or that it is empty
            return False
        del cell.published[index, score.code]
        return True
    now = published_values(result)
    cell.published[index, score.code] = now
    return always or now != before


@dataclass(frozen=True)
class ResultHeader:
    """What a record says apart from the result: whose it is, how new, whether it may still change."""

    name: CellName
    owner: str | None
    revision: int
    final: bool


def score_record(heading: ResultHeader, cell: CellState, window: Window, score: Score, result: Result | None) -> Record:
    """The record of a result, or of there being none any more."""
    newest = cell.newest(score.code, window.span.resolution_s, window.start, window.end) if result else None
    return Record(
        score=score.name,
        cut=heading.name[0],
        cell=heading.name[1],
        window=window.span.name,
        start=to_datetime(window.start),
        end=to_datetime(window.end),
        value=result.value if result else None,
        lower=result.lower if result else None,
        upper=result.upper if result else None,
        n=result.n if result else 0,
        unit=score.unit,
        counts=result.counts if result else {},
        revision=heading.revision,
        final=heading.final,
        last_event=None if newest is None else to_datetime(newest),
        owner=heading.owner,
    )


def published_values(result: Result | Record) -> PublishedValues:
    """What a result shows."""
    return result.n, result.counts, result.value, result.lower, result.upper


def _result(score: Score, acc: Mapping[int, int], level: Mapping[int, int]) -> Result | None:
    return score.result_at(acc, level) if isinstance(score, StockScore) else score.result(acc)


def result_revision(score: Score, cells: Sequence[CellState], window: Window, final_n: int | None) -> int:
    """How often what a result rests on has changed; of a final one with n = `final_n`, what any replay would say.

    How often derived records change depends on how events came in chunks, and what was ever counted on
    how far beyond the window had been read.
    """
    if final_n is not None and (score.derived or isinstance(score, StockScore)):
        return final_n
    if isinstance(score, StockScore):
        return sum(held.version for cell in cells for held in cell.all_time.values())
    if isinstance(score, ComparedScore):
        numbers = (window.current.number, window.previous.number)
        return sum(cell.sums[number].get(COMPARISON_CHANGES, 0) for cell in cells for number in numbers)
    slot = DERIVED_CHANGES if score.derived else EVENT_CHANGES
    return sum(cell.sums[window.current.number].get(slot, 0) for cell in cells)
