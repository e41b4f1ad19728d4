"""Stage 2, pure: cumulative partials in, rolling windows out; O(1) per change and per slide."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush

from schemas.pane import Pane
from schemas.score import Score
from streams.core.contributions import CODES, STOCK
from streams.core.held import Cell, Held, PaneAt, add
from streams.core.lateness import NEVER, Lateness
from streams.core.panes import Span
from streams.core.partials import EVER
from streams.core.results import CellName, Window, news, record, results, shown
from streams.core.sources import milliseconds


class Windows:
    """All windows of the cells of one partition of `cx.panes.v1`.

    Feed it partials with `apply`, move every window's end with `advance`, take what changed with
    `changed` (live) or everything there is with `everything` (a boundary of a replay). Panes that no
    window can contain any more are forgotten.
    """

    def __init__(self, spans: Sequence[Span], lateness: Lateness, owners: Mapping[str, str] | None = None) -> None:
        self._spans = tuple(spans)
        self._longest = {r: max(s.seconds for s in spans if s.resolution == r) * 1000 for r in lateness.resolutions}
        self._wait = lateness.wait
        self._owners = owners or {}
        self._cells: dict[CellName, Cell] = {}
        self._starts: dict[PaneAt, set[CellName]] = {}
        self._queues: dict[int, list[int]] = {resolution: [] for resolution in lateness.resolutions}
        self._floors = dict.fromkeys(lateness.resolutions, NEVER)
        self._passed = dict.fromkeys(lateness.resolutions, NEVER)
        self._ends: dict[int, int] = {}
        self._changed: set[tuple[CellName, int]] = set()

    def apply(self, pane: Pane) -> bool:
        """Take a partial; False when a newer one of its key is already here, or no window can use it."""
        resolution, start = pane.resolution, milliseconds(pane.start)
        if resolution == EVER:
            return self._apply_ever(pane)
        if resolution not in self._longest or self._is_past(resolution, start):
            return False
        name = (pane.cut, pane.cell)
        cell = self._cells.get(name)
        if cell is None:
            cell = self._cells[name] = Cell(len(self._spans))
        held = cell.panes.setdefault((resolution, start), {}).setdefault((pane.topic, pane.partition), Held())
        if pane.version <= held.version:
            return False
        self._hold(resolution, start).add(name)
        before = held.take(pane)
        for code, last in held.last.items():
            cell.last[code] = max(last, cell.last.get(code, NEVER))
        if start >= self._passed[resolution] and not STOCK.isdisjoint(held.last):
            cell.get_ahead(resolution, held.counts, 1)
            cell.get_ahead(resolution, before, -1)
        for index in self._containing(resolution, start):
            add(cell.windows[index], held.counts, 1)
            add(cell.windows[index], before, -1)
            self._changed.add((name, index))
        return True

    def _apply_ever(self, pane: Pane) -> bool:
        name = (pane.cut, pane.cell)
        cell = self._cells.setdefault(name, Cell(len(self._spans)))
        taken = cell.take_ever(pane)
        if taken:
            self._changed.update((name, index) for index in range(len(self._spans)))
        return taken

    def advance(self, now: int, resolutions: Iterable[int] | None = None) -> None:
        """Slide: every window now ends at the first boundary of its panes after `now` (ms)."""
        for resolution in self._longest if resolutions is None else resolutions:
            self.slide(resolution, now - now % (resolution * 1000) + resolution * 1000)

    def slide(self, resolution: int, end: int) -> None:
        """Let the windows made of these panes end at `end` (ms, a multiple of the resolution)."""
        before = self._ends.get(resolution)
        if before is not None and end <= before:
            return
        self._ends[resolution] = end
        self._pass(resolution, end)
        for index, span in enumerate(self._spans):
            if span.resolution == resolution:
                self._slide_span(index, span, before, end)
        self._forget(resolution, end)

    def skip(self, resolution: int, end: int) -> None:
        """Before the first slide: no window made of these panes will end before `end` (ms)."""
        if resolution not in self._ends:
            self._pass(resolution, end)
            self._forget(resolution, end)

    def changed(self) -> list[Score]:
        """The results whose counts changed since the last call, each once."""
        changed, self._changed = self._changed, set()
        records: list[Score] = []
        for name, index in sorted(changed):
            cell = self._cells.get(name)
            if cell is not None:
                records.extend(self._results(name, cell, index, final=False, always=False))
        return records

    def everything(self, resolution: int) -> list[Score]:
        """All results of the windows made of these panes, final, and null for what has become empty."""
        return [
            result
            for name, cell in sorted(self._cells.items())
            for index, span in enumerate(self._spans)
            if span.resolution == resolution
            for result in self._results(name, cell, index, final=True, always=True)
        ]

    def restore(self, published: Score) -> None:
        """Remember what was published before a restart, so that only changes follow."""
        names = [span.name for span in self._spans]
        if published.window in names and published.score in CODES:
            cell = self._cells.setdefault((published.cut, published.cell), Cell(len(self._spans)))
            index = names.index(published.window)
            cell.published[index, CODES[published.score]] = shown(published)
            self._changed.add(((published.cut, published.cell), index))

    def earliest(self, resolution: int) -> int | None:
        """Start (ms) of the oldest pane held of this resolution."""
        queue = self._queues.get(resolution)
        return queue[0] if queue else None

    def has_levels(self, resolution: int) -> bool:
        """Whether some stock score has a level at the end of the windows made of these panes."""
        return any(cell.ever and cell.level(resolution) for cell in self._cells.values())

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self._cells)

    def _is_past(self, resolution: int, start: int) -> bool:
        return start < self._floors[resolution]

    def _hold(self, resolution: int, start: int) -> set[CellName]:
        names = self._starts.get((resolution, start))
        if names is None:
            names = self._starts[resolution, start] = set()
            heappush(self._queues[resolution], start)
        return names

    def _containing(self, resolution: int, start: int) -> Iterator[int]:
        end = self._ends.get(resolution)
        if end is None or start >= end:
            return
        for index, span in enumerate(self._spans):
            if span.resolution == resolution and start >= end - span.seconds * 1000:
                yield index

    def _slide_span(self, index: int, span: Span, before: int | None, end: int) -> None:
        length = span.seconds * 1000
        old = (end, end) if before is None else (before - length, before)
        new = (end - length, end)
        for start in self._between(span.resolution, old[0], min(old[1], new[0])):
            self._shift(index, span.resolution, start, -1)
        for start in self._between(span.resolution, max(old[1], new[0]) if before is not None else new[0], end):
            self._shift(index, span.resolution, start, 1)

    def _pass(self, resolution: int, end: int) -> None:
        """Panes that start before `end` no longer lie ahead of their windows."""
        for start in self._between(resolution, self._passed[resolution], end):
            for name in self._starts[resolution, start]:
                cell = self._cells[name]
                if resolution in cell.ahead:
                    for held in cell.panes[resolution, start].values():
                        cell.get_ahead(resolution, held.counts, -1)
                    self._changed.update((name, i) for i, s in enumerate(self._spans) if s.resolution == resolution)
        self._passed[resolution] = max(end, self._passed[resolution])

    def _between(self, resolution: int, first: int, end: int) -> list[int]:
        width = resolution * 1000
        if end <= first:
            return []
        if (end - first) // width <= len(self._starts):
            return [start for start in range(first, end, width) if (resolution, start) in self._starts]
        return [start for held, start in self._starts if held == resolution and first <= start < end]

    def _shift(self, index: int, resolution: int, start: int, sign: int) -> None:
        for name in self._starts[resolution, start]:
            cell = self._cells[name]
            for held in cell.panes[resolution, start].values():
                add(cell.windows[index], held.counts, sign)
            self._changed.add((name, index))

    def _forget(self, resolution: int, end: int) -> None:
        queue, floor = self._queues[resolution], max(end - self._longest[resolution], self._floors[resolution])
        self._floors[resolution] = floor
        while queue and queue[0] < floor:
            at = (resolution, heappop(queue))
            for name in self._starts.pop(at):
                self._cells[name].panes.pop(at, None)

    def _results(self, name: CellName, cell: Cell, index: int, *, final: bool, always: bool) -> Iterator[Score]:
        span = self._spans[index]
        end = self._ends.get(span.resolution)
        if end is None or not (cell.windows[index] or cell.published or cell.ever):
            return
        window, owner = Window(index, span, end), self._owners.get(f"{name[0]}:{name[1]}")
        for score, result in results(cell, window):
            if news(cell, index, score, result, always=always):
                yield record(name, cell, window, score, result, final=final, owner=owner)
