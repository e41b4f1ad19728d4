"""Stage 2, pure: cumulative partials in, rolling windows out; O(1) per change and per slide."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from schemas.pane import Pane
from schemas.score import Score
from streams.core.events.source_label import SourceLabel
from streams.core.scores import ComparedScore
from streams.core.scores.base import Accumulator
from streams.core.scores.compared import CellName
from streams.core.scores.comparison_groups import COMPARED_SCORES, COMPARISON_GROUPS, PREVIOUS_WINDOW_CODES
from streams.core.scores.contributions import SCORE_CODES, STOCK_CODES
from streams.core.stage2.cell_state import CellState, PanePosition, SourcePartial, add
from streams.core.stage2.pane_index import PaneIndex
from streams.core.stage2.results import (
    ResultHeader,
    Window,
    cell_results,
    comparison_results,
    published_values,
    result_revision,
    score_record,
    should_publish,
)
from streams.core.stage2.window_ranges import WindowRange, window_ranges
from streams.core.time.instants import to_ms
from streams.core.time.lateness import NO_WATERMARK_MS, Lateness
from streams.core.time.panes import ALL_TIME
from streams.core.time.spans import Span

_BACK_NAMES = frozenset(name for name, code in SCORE_CODES.items() if code in PREVIOUS_WINDOW_CODES)


class Windows:
    """All windows of the cells of one partition of `cx.panes.v1`.

    Feed it partials with `apply`, move every window's end with `advance`, take what changed with
    `changed` (live) or everything there is with `everything` (a boundary of a replay). Panes that no
    window can contain any more are forgotten, but for what scores look back on.
    """

    def __init__(self, spans: Sequence[Span], lateness: Lateness, owners: Mapping[str, str] | None = None) -> None:
        self._spans = tuple(spans)
        self._stretches = window_ranges(spans, lateness)
        longest = {r: max(s.first for s in own if not s.is_previous_window) for r, own in self._stretches.items()}
        furthest = {r: max(s.first for s in own) for r, own in self._stretches.items()}
        self._index = PaneIndex(longest, furthest)
        self._owners = owners or {}
        self._cells: dict[CellName, CellState] = {}
        self._passed = dict.fromkeys(lateness.resolutions_s, NO_WATERMARK_MS)
        self._ends: dict[int, int] = {}
        self._changed: set[tuple[CellName, int]] = set()
        self._gathered: dict[str, set[CellName]] = {name: set() for name in COMPARED_SCORES}

    def apply(self, pane: Pane) -> bool:
        """Take a partial; False when a newer one of its key is already here, or no window can use it."""
        resolution, start = pane.resolution, to_ms(pane.start)
        if resolution == ALL_TIME:
            return self._apply_ever(pane)
        at, name = (resolution, start), (pane.cut, pane.cell)
        looked_back_on = not _BACK_NAMES.isdisjoint(pane.last)
        if resolution not in self._stretches or self._index.is_past(at, looked_back_on=looked_back_on):
            return False
        cell = self._cell(name)
        held = cell.panes.setdefault(at, {}).setdefault((pane.topic, pane.partition), SourcePartial())
        if pane.version <= held.version:
            return False
        self._index.hold(at, name)
        before = held.take(pane)
        for code, last in held.last.items():
            cell.last[code] = max(last, cell.last.get(code, NO_WATERMARK_MS))
        if start >= self._passed[resolution] and not STOCK_CODES.isdisjoint(held.last):
            cell.count_future(resolution, held.counts, 1)
            cell.count_future(resolution, before, -1)
        for stretch in self._containing(resolution, start):
            self._sum_up(stretch, name, held, held.counts, 1)
            self._sum_up(stretch, name, held, before, -1)
        for score in COMPARISON_GROUPS.get(SourceLabel.parse(pane.topic).group, ()):
            self._gathered[score.name].add(name)
        return True

    def _apply_ever(self, pane: Pane) -> bool:
        name = (pane.cut, pane.cell)
        taken = self._cell(name).take_all_time(pane)
        if taken:
            self._changed.update((name, index) for index in range(len(self._spans)))
        return taken

    def advance(self, now: int, resolutions: Iterable[int] | None = None) -> None:
        """Slide: every window now ends at the first boundary of its panes after `now` (ms)."""
        for resolution in self._stretches if resolutions is None else resolutions:
            self.slide(resolution, now - now % (resolution * 1000) + resolution * 1000)

    def slide(self, resolution: int, end: int) -> None:
        """Let the windows made of these panes end at `end` (ms, a multiple of the resolution)."""
        before = self._ends.get(resolution)
        if before is not None and end <= before:
            return
        self._ends[resolution] = end
        self._advance_past(resolution, end)
        for stretch in self._stretches[resolution]:
            self._slide_stretch(stretch, resolution, before, end)
        self._index.forget(resolution, end, self._retire)

    def skip(self, resolution: int, end: int) -> None:
        """Before the first slide: no window made of these panes will end before `end` (ms)."""
        if resolution not in self._ends:
            self._advance_past(resolution, end)
            self._index.forget(resolution, end, self._retire)

    def changed(self) -> list[Score]:
        """The results whose counts changed since the last call, each once."""
        changed, self._changed = self._changed, set()
        records: list[Score] = []
        for name, index in sorted(changed):
            records += self._results(name, index, final=False)
        for score in COMPARED_SCORES.values():
            names = self._gathered[score.name]
            for index in sorted({index for name, index in changed if name in names}):
                records += self._comparison(score, index, final=False)
        return records

    def everything(self, resolution: int) -> list[Score]:
        """All results of the windows made of these panes, final, and null for what has become empty."""
        indices = [index for index, span in enumerate(self._spans) if span.resolution_s == resolution]
        records = [one for name in sorted(self._cells) for i in indices for one in self._results(name, i, final=True)]
        for score in COMPARED_SCORES.values():
            for index in indices:
                records += self._comparison(score, index, final=True)
        return records

    def restore(self, published: Score) -> None:
        """Remember what was published before a restart, so that only changes follow."""
        names = [span.name for span in self._spans]
        if published.window in names and published.score in SCORE_CODES:
            name, index = (published.cut, published.cell), names.index(published.window)
            self._cell(name).published[index, SCORE_CODES[published.score]] = published_values(published)
            self._changed.add((name, index))
            if published.score in COMPARED_SCORES:
                self._gathered[published.score].add(name)

    def earliest(self, resolution: int) -> int | None:
        """Start (ms) of the oldest pane held of this resolution."""
        return self._index.earliest(resolution)

    def has_stocks(self, resolution: int) -> bool:
        """Whether some stock score has a level at the end of the windows made of these panes."""
        return any(cell.all_time and cell.stock_at_end(resolution) for cell in self._cells.values())

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self._cells)

    def _cell(self, name: CellName) -> CellState:
        cell = self._cells.get(name)
        if cell is None:
            cell = self._cells[name] = CellState(2 * len(self._spans))
        return cell

    def _containing(self, resolution: int, start: int) -> Iterator[WindowRange]:
        end = self._ends.get(resolution)
        if end is None:
            return
        for stretch in self._stretches[resolution]:
            if end - stretch.first <= start < end - stretch.last:
                yield stretch

    def _slide_stretch(self, stretch: WindowRange, resolution: int, before: int | None, end: int) -> None:
        first, last = end - stretch.first, end - stretch.last
        old = (first, first) if before is None else (before - stretch.first, before - stretch.last)
        for start in self._index.between(resolution, old[0], min(old[1], first)):
            self._shift(stretch, resolution, start, -1)
        for start in self._index.between(resolution, max(old[1], first), last):
            self._shift(stretch, resolution, start, 1)

    def _advance_past(self, resolution: int, end: int) -> None:
        """Panes that start before `end` no longer lie ahead of their windows."""
        for start in self._index.between(resolution, self._passed[resolution], end):
            for name in self._index.cells_at((resolution, start)):
                cell = self._cells[name]
                if resolution in cell.future_panes:
                    for held in cell.panes[resolution, start].values():
                        cell.count_future(resolution, held.counts, -1)
                    self._changed.update((name, i) for i, s in enumerate(self._spans) if s.resolution_s == resolution)
        self._passed[resolution] = max(end, self._passed[resolution])

    def _shift(self, stretch: WindowRange, resolution: int, start: int, sign: int) -> None:
        for name in self._index.cells_at((resolution, start)):
            for held in self._cells[name].panes[resolution, start].values():
                self._sum_up(stretch, name, held, held.counts, sign)

    def _sum_up(self, stretch: WindowRange, name: CellName, held: SourcePartial, counts: Accumulator, sign: int) -> None:
        if not stretch.is_previous_window or held.needs_previous_window:
            add(self._cells[name].sums[stretch.number], counts, sign)
            self._changed.add((name, stretch.window))

    def _retire(self, name: CellName, at: PanePosition) -> bool:
        return self._cells[name].retire(at, is_previous_window=not self._index.is_past(at, looked_back_on=True))

    def _window(self, index: int) -> Window | None:
        span = self._spans[index]
        end = self._ends.get(span.resolution_s)
        if end is None:
            return None
        own, before = (s for s in self._stretches[span.resolution_s] if s.window == index)
        return Window(span, end, own, before)

    def _results(self, name: CellName, index: int, *, final: bool) -> Iterator[Score]:
        cell, window = self._cells[name], self._window(index)
        if window is None or not (cell.sums[index] or cell.published or cell.all_time):
            return
        for score, result in cell_results(cell, window):
            if should_publish(cell, index, score, result, always=final):
                final_n = result.n if final and result else None
                heading = self._heading(name, result_revision(score, [cell], window, final_n), final)
                yield score_record(heading, cell, window, score, result)

    def _comparison(self, score: ComparedScore, index: int, *, final: bool) -> Iterator[Score]:
        window, cells = self._window(index), {name: self._cells[name] for name in sorted(self._gathered[score.name])}
        if window is None or not cells:
            return
        found = comparison_results(score, cells, window)
        for name, cell in cells.items():
            result = found.get(name)
            if should_publish(cell, index, score, result, always=final):
                final_n = result.n if final and result else None
                changed = result_revision(score, list(cells.values()), window, final_n)
                yield score_record(self._heading(name, changed, final), cell, window, score, result)

    def _heading(self, name: CellName, changes: int, final: bool) -> ResultHeader:
        return ResultHeader(name, self._owners.get(f"{name[0]}:{name[1]}"), changes, final)
