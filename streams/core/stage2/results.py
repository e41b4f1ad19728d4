"""From the sums of a window to the records that are published."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.score import Score as ScoreRecord
from streams.core.scores import ComparedScore, Result, Score, StockScore
from streams.core.scores.compared import CellName
from streams.core.scores.contributions import COUNTED_SCORES, by_score
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
    """One window: its span, its end, and the ranges of the window itself and of the time before it."""

    span: Span
    end_ms: int
    current: WindowRange
    previous: WindowRange

    @property
    def index(self) -> int:
        """Its position among the configured windows."""
        return self.current.window_index

    @property
    def start_ms(self) -> int:
        """Its start."""
        return self.end_ms - self.span.seconds * 1000


def cell_records(
    name: CellName, owner: str | None, cell: CellState, window: Window, *, final: bool
) -> Iterator[ScoreRecord]:
    """The records to publish for a cell in this window, compared scores excepted; they are noted as published."""
    for score, result in cell_results(cell, window):
        if should_publish(cell, window.index, score, result, always=final):
            final_n = result.n if final and result else None
            header = ResultHeader(name, owner, result_revision(score, [cell], window, final_n), final)
            yield score_record(header, cell, window, score, result)


def cell_results(cell: CellState, window: Window) -> Iterator[tuple[Score, Result | None]]:
    """The result in this window of every score that has counts or was published before, compared scores excepted."""
    counts = {slot: amount for slot, amount in cell.sums[window.current.sum_index].items() if slot >= 0}
    accs = by_score(counts)
    stocks = by_score(cell.stock_at_end(window.span.resolution_s)) if cell.all_time else {}
    for score in COUNTED_SCORES:
        code = score.code
        if code in accs or code in stocks or (window.index, code) in cell.published:
            yield score, _result(score, accs.get(code, {}), stocks.get(code, {}))


def _result(score: Score, acc: Mapping[int, int], stock_at_end: Mapping[int, int]) -> Result | None:
    return score.result_at(acc, stock_at_end) if isinstance(score, StockScore) else score.result(acc)


def should_publish(cell: CellState, index: int, score: Score, result: Result | None, *, always: bool) -> bool:
    """Whether a result of window `index` has to be published; if so, it is also noted as published.

    An unchanged result is published only if `always` is set. An empty one is published only to replace one that was
    not empty.
    """
    last = cell.published.get((index, score.code))
    if result is None:
        if last is None or not (last[0] or last[1]):
            return False
        del cell.published[index, score.code]
        return True
    values = published_values(result)
    cell.published[index, score.code] = values
    return always or values != last


def published_values(result: Result | ScoreRecord) -> PublishedValues:
    """The part of a result whose change is published.

    Interval and value are compared as well as the counts: durations may change while their sum, n and percentiles do
    not.
    """
    return result.n, result.counts, result.value, result.lower, result.upper


@dataclass(frozen=True)
class ResultHeader:
    """The part of a record that does not follow from the result: cell, owner, revision, and whether it is final."""

    name: CellName
    owner: str | None
    revision: int
    final: bool


def score_record(
    header: ResultHeader, cell: CellState, window: Window, score: Score, result: Result | None
) -> ScoreRecord:
    """The record of a result; for None the record of an empty window."""
    code, resolution_s = score.code, window.span.resolution_s
    newest_ms = cell.newest_event_ms(code, resolution_s, window.start_ms, window.end_ms) if result else None
    return ScoreRecord(
        score=score.name,
        cut=header.name[0],
        cell=header.name[1],
        window=window.span.name,
        start=to_datetime(window.start_ms),
        end=to_datetime(window.end_ms),
        value=result.value if result else None,
        lower=result.lower if result else None,
        upper=result.upper if result else None,
        n=result.n if result else 0,
        unit=score.unit,
        counts=result.counts if result else {},
        revision=header.revision,
        final=header.final,
        last_event=None if newest_ms is None else to_datetime(newest_ms),
        owner=header.owner,
    )


def result_revision(score: Score, cells: Sequence[CellState], window: Window, final_n: int | None) -> int:
    """The number of changes behind a result, which only rises for the same end; `final_n` is n of a final result.

    Final results must be the same in every replay. The number of changes of derived records depends on how events were
    divided into chunks, that of a stock on how far beyond the window was read; so n takes their place.
    """
    if final_n is not None and (score.derived or isinstance(score, StockScore)):
        return final_n
    if isinstance(score, StockScore):
        return sum(partial.version for cell in cells for partial in cell.all_time.values())
    if isinstance(score, ComparedScore):
        sums = (window.current.sum_index, window.previous.sum_index)
        return sum(cell.sums[index].get(COMPARISON_CHANGES, 0) for cell in cells for index in sums)
    slot = DERIVED_CHANGES if score.derived else EVENT_CHANGES
    return sum(cell.sums[window.current.sum_index].get(slot, 0) for cell in cells)
