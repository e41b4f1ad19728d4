"""Stage 2, pure: cumulative partials in, rolling windows out; O(1) per change and per slide."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from schemas.pane import Pane
from schemas.score import Score
from streams.core.events.source_label import SourceLabel
from streams.core.scores import ComparedScore
from streams.core.scores.base import Accumulator
from streams.core.scores.compared import CellName
from streams.core.scores.comparison_groups import COMPARED_SCORES, PREVIOUS_WINDOW_CODES
from streams.core.scores.contributions import SCORE_CODES, STOCK_CODES
from streams.core.stage2.cell_state import CellState, PanePosition, SourcePartial, add
from streams.core.stage2.comparisons import Comparisons, comparison_records
from streams.core.stage2.pane_index import PaneIndex
from streams.core.stage2.results import Window, cell_records, published_values
from streams.core.stage2.window_ranges import WindowRange, window_ranges
from streams.core.time.instants import to_ms
from streams.core.time.lateness import NO_WATERMARK_MS, Lateness
from streams.core.time.panes import ALL_TIME
from streams.core.time.spans import Span

_PREVIOUS_WINDOW_NAMES = frozenset(name for name, code in SCORE_CODES.items() if code in PREVIOUS_WINDOW_CODES)


class Windows:
    """All windows of the cells of one partition of `cx.panes.v1`.

    `apply` takes partials, `advance` moves the end of every window. `changed_results` returns what changed since the
    last call (live), `final_results` all results at a boundary of a replay. Panes that neither a window nor a previous
    window can contain any more are dropped.

    Each range of each cell keeps its sum, which changes by the panes that enter or leave. Summing the panes of a window
    when it is read was rejected: it would cost more the longer the window is.
    """

    def __init__(self, spans: Sequence[Span], lateness: Lateness, owners: Mapping[str, str] | None = None) -> None:
        self._spans = tuple(spans)
        self._ranges = window_ranges(spans, lateness)
        windows = {r: [one for one in own if not one.is_previous_window] for r, own in self._ranges.items()}
        longest_ms = {r: max(one.start_offset_ms for one in own) for r, own in windows.items()}
        reach_ms = {r: max(one.start_offset_ms for one in own) for r, own in self._ranges.items()}
        self._index = PaneIndex(longest_ms, reach_ms)
        self._owners = owners or {}
        self._cells: dict[CellName, CellState] = {}
        self._comparisons = Comparisons()
        self._ends_ms: dict[int, int] = {}
        # Panes that start here or later are future panes. It is not the same as the end: `skip` moves it on alone.
        self._future_from_ms = dict.fromkeys(lateness.resolutions_s, NO_WATERMARK_MS)
        self._changed: set[tuple[CellName, int]] = set()

    def apply(self, pane: Pane) -> bool:
        """Take a partial; False if a newer one with its key was taken already, or if no window can contain it."""
        resolution_s, start_ms = pane.resolution, to_ms(pane.start)
        if resolution_s == ALL_TIME:
            return self._apply_all_time(pane)
        position, name = (resolution_s, start_ms), (pane.cut, pane.cell)
        needs_previous = not _PREVIOUS_WINDOW_NAMES.isdisjoint(pane.last)
        if resolution_s not in self._ranges or self._index.is_past(position, needs_previous_window=needs_previous):
            return False
        cell = self._cell(name)
        partial = cell.panes.setdefault(position, {}).setdefault((pane.topic, pane.partition), SourcePartial())
        if pane.version <= partial.version:
            return False
        self._index.add(position, name)
        old = partial.replace(pane)
        for code, newest_ms in partial.newest_ms.items():
            cell.newest_ms[code] = max(newest_ms, cell.newest_ms.get(code, NO_WATERMARK_MS))
        if start_ms >= self._future_from_ms[resolution_s] and not STOCK_CODES.isdisjoint(partial.newest_ms):
            cell.count_future(resolution_s, partial.counts, 1)
            cell.count_future(resolution_s, old, -1)
        for window_range in self._ranges_containing(resolution_s, start_ms):
            self._add(window_range, name, partial, partial.counts, 1)
            self._add(window_range, name, partial, old, -1)
        group = SourceLabel.parse(pane.topic).group
        if group:
            self._comparisons.add_cell(group, name)
        return True

    def _apply_all_time(self, pane: Pane) -> bool:
        name = (pane.cut, pane.cell)
        is_newer = self._cell(name).apply_all_time(pane)
        if is_newer:
            self._changed.update((name, index) for index in range(len(self._spans)))
        return is_newer

    def advance(self, now_ms: int, resolutions_s: Iterable[int] | None = None) -> None:
        """Let every window end at the end of the pane that contains `now_ms`."""
        for resolution_s in self._ranges if resolutions_s is None else resolutions_s:
            pane_ms = resolution_s * 1000
            self.slide(resolution_s, now_ms - now_ms % pane_ms + pane_ms)

    def slide(self, resolution_s: int, end_ms: int) -> None:
        """Let the windows of this resolution end at `end_ms`, a multiple of it; an earlier end changes nothing."""
        old_end_ms = self._ends_ms.get(resolution_s)
        if old_end_ms is not None and end_ms <= old_end_ms:
            return
        self._ends_ms[resolution_s] = end_ms
        self._pass_future_panes(resolution_s, end_ms)
        for window_range in self._ranges[resolution_s]:
            self._slide_range(window_range, resolution_s, old_end_ms, end_ms)
        self._index.retire_until(resolution_s, end_ms, self._retire)

    def skip(self, resolution_s: int, end_ms: int) -> None:
        """Before the first slide: drop the panes that are too old for windows that end at `end_ms` or later.

        A replay without boundaries slides only once, at the end of the data; it would otherwise keep every pane.
        """
        if resolution_s not in self._ends_ms:
            self._pass_future_panes(resolution_s, end_ms)
            self._index.retire_until(resolution_s, end_ms, self._retire)

    def changed_results(self) -> list[Score]:
        """The results that changed since the last call, each once."""
        changed, self._changed = self._changed, set()
        records: list[Score] = []
        for name, index in sorted(changed):
            records += self._cell_records(name, index, final=False)
        for score, index in self._comparisons.affected(changed):
            records += self._comparison_records(score, index, final=False)
        return records

    def final_results(self, resolution_s: int) -> list[Score]:
        """All results of the windows of this resolution, as final ones, and empty ones to replace earlier results."""
        indices = [index for index, span in enumerate(self._spans) if span.resolution_s == resolution_s]
        records: list[Score] = []
        for name in sorted(self._cells):
            for index in indices:
                records += self._cell_records(name, index, final=True)
        for score in COMPARED_SCORES.values():
            for index in indices:
                records += self._comparison_records(score, index, final=True)
        return records

    def restore(self, published: Score) -> None:
        """Note a result that was published before a restart, so that only changes are published."""
        names = [span.name for span in self._spans]
        if published.window in names and published.score in SCORE_CODES:
            name, index = (published.cut, published.cell), names.index(published.window)
            self._cell(name).published[index, SCORE_CODES[published.score]] = published_values(published)
            self._changed.add((name, index))
            self._comparisons.restore(published.score, name)

    def oldest_pane_ms(self, resolution_s: int) -> int | None:
        """Start of the oldest pane of this resolution that a window contains or will contain."""
        return self._index.oldest_start_ms(resolution_s)

    def has_stocks(self, resolution_s: int) -> bool:
        """Whether some stock score has counts up to the end of the windows of this resolution."""
        return any(cell.all_time and cell.stock_at_end(resolution_s) for cell in self._cells.values())

    @property
    def cell_count(self) -> int:
        """The number of cells."""
        return len(self._cells)

    def _cell(self, name: CellName) -> CellState:
        cell = self._cells.get(name)
        if cell is None:
            cell = self._cells[name] = CellState(range_count=2 * len(self._spans))
        return cell

    def _ranges_containing(self, resolution_s: int, start_ms: int) -> Iterator[WindowRange]:
        end_ms = self._ends_ms.get(resolution_s)
        if end_ms is None:
            return
        for window_range in self._ranges[resolution_s]:
            if end_ms - window_range.start_offset_ms <= start_ms < end_ms - window_range.end_offset_ms:
                yield window_range

    def _slide_range(self, window_range: WindowRange, resolution_s: int, old_end_ms: int | None, end_ms: int) -> None:
        first_ms, last_ms = end_ms - window_range.start_offset_ms, end_ms - window_range.end_offset_ms
        old_first_ms = old_last_ms = first_ms
        if old_end_ms is not None:
            old_first_ms = old_end_ms - window_range.start_offset_ms
            old_last_ms = old_end_ms - window_range.end_offset_ms
        # After a jump longer than the range the old and the new one are apart; panes between them are in neither.
        for start_ms in self._index.starts_between(resolution_s, old_first_ms, min(old_last_ms, first_ms)):
            self._add_panes(window_range, (resolution_s, start_ms), -1)
        for start_ms in self._index.starts_between(resolution_s, max(old_last_ms, first_ms), last_ms):
            self._add_panes(window_range, (resolution_s, start_ms), 1)

    def _pass_future_panes(self, resolution_s: int, end_ms: int) -> None:
        """Panes that start before `end_ms` are no longer future panes."""
        for start_ms in self._index.starts_between(resolution_s, self._future_from_ms[resolution_s], end_ms):
            for name in self._index.cells_at((resolution_s, start_ms)):
                cell = self._cells[name]
                if resolution_s in cell.future_panes:
                    for partial in cell.panes[resolution_s, start_ms].values():
                        cell.count_future(resolution_s, partial.counts, -1)
                    self._changed.update((name, i) for i, s in enumerate(self._spans) if s.resolution_s == resolution_s)
        self._future_from_ms[resolution_s] = max(end_ms, self._future_from_ms[resolution_s])

    def _add_panes(self, window_range: WindowRange, position: PanePosition, sign: int) -> None:
        for name in self._index.cells_at(position):
            for partial in self._cells[name].panes[position].values():
                self._add(window_range, name, partial, partial.counts, sign)

    def _add(
        self, window_range: WindowRange, name: CellName, partial: SourcePartial, counts: Accumulator, sign: int
    ) -> None:
        if not window_range.is_previous_window or partial.needs_previous_window:
            add(self._cells[name].sums[window_range.sum_index], counts, sign)
            self._changed.add((name, window_range.window_index))

    def _retire(self, name: CellName, position: PanePosition) -> bool:
        in_previous_window = not self._index.is_past(position, needs_previous_window=True)
        return self._cells[name].retire(position, in_previous_window=in_previous_window)

    def _window(self, index: int) -> Window | None:
        span = self._spans[index]
        end_ms = self._ends_ms.get(span.resolution_s)
        if end_ms is None:
            return None
        current, previous = (r for r in self._ranges[span.resolution_s] if r.window_index == index)
        return Window(span, end_ms, current, previous)

    def _cell_records(self, name: CellName, index: int, *, final: bool) -> Iterable[Score]:
        cell, window = self._cells[name], self._window(index)
        if window is None or not (cell.sums[index] or cell.published or cell.all_time):
            return ()
        return cell_records(name, self._owner(name), cell, window, final=final)

    def _comparison_records(self, score: ComparedScore, index: int, *, final: bool) -> Iterable[Score]:
        cells, window = {name: self._cells[name] for name in self._comparisons.cells_of(score)}, self._window(index)
        return () if window is None else comparison_records(score, cells, self._owner, window, final=final)

    def _owner(self, name: CellName) -> str | None:
        return self._owners.get(f"{name[0]}:{name[1]}")
