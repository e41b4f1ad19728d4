"""Stage 2, pure: cumulative partials in, rolling windows out; O(1) per change and per slide."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush

from schemas.pane import Pane
from schemas.score import Score
from streams.core.contributions import by_score, flat
from streams.core.intake import DERIVED_LABELS
from streams.core.lateness import NEVER, Lateness
from streams.core.panes import Span
from streams.core.partials import Counts
from streams.core.scores import SCORES, Result
from streams.core.scores import Score as Definition
from streams.core.sources import milliseconds, moment

CellName = tuple[str, str]
"""Cut and cell."""

PaneAt = tuple[int, int]
"""Resolution (s) and start (ms)."""

Shown = tuple[int, Mapping[str, int], float | None, float | None, float | None]
"""What a result shows: n, counts, value, lower, upper."""

_CODES = {score.name: score.code for score in SCORES}
_OF_EVENTS, _OF_DERIVED = -1, -2
"""Slots that carry the number of changes, so that it slides with the panes."""


class _Held:
    """The newest partial of one source partition for one pane of one cell."""

    __slots__ = ("counts", "last", "version")

    def __init__(self) -> None:
        self.version = 0
        self.last: dict[int, int] = {}
        self.counts: Counts = {}


class _Cell:
    """One cell: its panes by source partition, its accumulators by window, its newest event by score."""

    __slots__ = ("last", "panes", "published", "windows")

    def __init__(self, spans: int) -> None:
        self.panes: dict[PaneAt, dict[tuple[str, int], _Held]] = {}
        self.windows: list[Counts] = [{} for _ in range(spans)]
        self.last: dict[int, int] = {}
        self.published: dict[tuple[int, int], Shown] = {}


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
        self._cells: dict[CellName, _Cell] = {}
        self._starts: dict[PaneAt, set[CellName]] = {}
        self._queues: dict[int, list[int]] = {resolution: [] for resolution in lateness.resolutions}
        self._floors = dict.fromkeys(lateness.resolutions, NEVER)
        self._ends: dict[int, int] = {}
        self._changed: set[tuple[CellName, int]] = set()

    def apply(self, pane: Pane) -> bool:
        """Take a partial; False when a newer one of its key is already here, or no window can use it."""
        resolution, start = pane.resolution, milliseconds(pane.start)
        if resolution not in self._longest or self._is_past(resolution, start):
            return False
        name = (pane.cut, pane.cell)
        cell = self._cells.get(name)
        if cell is None:
            cell = self._cells[name] = _Cell(len(self._spans))
        held = cell.panes.setdefault((resolution, start), {}).setdefault((pane.topic, pane.partition), _Held())
        if pane.version <= held.version:
            return False
        self._hold(resolution, start).add(name)
        counts, before = _flat_counts(pane), held.counts
        held.counts, held.version = counts, pane.version
        held.last = {_CODES[score]: milliseconds(last) for score, last in pane.last.items()}
        for code, last in held.last.items():
            cell.last[code] = max(last, cell.last.get(code, NEVER))
        for index in self._containing(resolution, start):
            _add(cell.windows[index], counts, 1)
            _add(cell.windows[index], before, -1)
            self._changed.add((name, index))
        return True

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
        for index, span in enumerate(self._spans):
            if span.resolution == resolution:
                self._slide_span(index, span, before, end)
        self._forget(resolution, end)

    def skip(self, resolution: int, end: int) -> None:
        """Before the first slide: no window made of these panes will end before `end` (ms)."""
        if resolution not in self._ends:
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
            record
            for name, cell in sorted(self._cells.items())
            for index, span in enumerate(self._spans)
            if span.resolution == resolution
            for record in self._results(name, cell, index, final=True, always=True)
        ]

    def restore(self, published: Score) -> None:
        """Remember what was published before a restart, so that only changes follow."""
        names = [span.name for span in self._spans]
        if published.window in names and published.score in _CODES:
            cell = self._cells.setdefault((published.cut, published.cell), _Cell(len(self._spans)))
            index = names.index(published.window)
            cell.published[index, _CODES[published.score]] = _shown(published)
            self._changed.add(((published.cut, published.cell), index))

    def earliest(self, resolution: int) -> int | None:
        """Start (ms) of the oldest pane held of this resolution."""
        queue = self._queues.get(resolution)
        return queue[0] if queue else None

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
                _add(cell.windows[index], held.counts, sign)
            self._changed.add((name, index))

    def _forget(self, resolution: int, end: int) -> None:
        queue, floor = self._queues[resolution], max(end - self._longest[resolution], self._floors[resolution])
        self._floors[resolution] = floor
        while queue and queue[0] < floor:
            at = (resolution, heappop(queue))
            for name in self._starts.pop(at):
                self._cells[name].panes.pop(at, None)

    def _results(self, name: CellName, cell: _Cell, index: int, *, final: bool, always: bool) -> Iterator[Score]:
        span, counts = self._spans[index], cell.windows[index]
        end = self._ends.get(span.resolution)
        if end is None or not (counts or cell.published):
            return
        split = by_score({slot: amount for slot, amount in counts.items() if slot >= 0})
        for score in SCORES:
            result = score.result(split.get(score.code, {}))
            before = cell.published.get((index, score.code))
            if result is None and (before is None or before[0] == 0):
                continue
            if result is None:
                del cell.published[index, score.code]
            else:
                shown = _shown(result)
                if shown == before and not always:
                    continue
                cell.published[index, score.code] = shown
            start = end - span.seconds * 1000
            last = _last(cell, score.code, span.resolution, start, end) if result else None
            yield Score(
                score=score.name,
                cut=name[0],
                cell=name[1],
                window=span.name,
                start=moment(start),
                end=moment(end),
                value=result.value if result else None,
                lower=result.lower if result else None,
                upper=result.upper if result else None,
                n=result.n if result else 0,
                unit=score.unit,
                counts=result.counts if result else {},
                revision=_revision(score, counts, result.n if final and result else None),
                final=final,
                last_event=None if last is None else moment(last),
                owner=self._owners.get(f"{name[0]}:{name[1]}"),
            )


def _shown(result: Result | Score) -> Shown:
    return result.n, result.counts, result.value, result.lower, result.upper


def _revision(score: Definition, counts: Counts, final_n: int | None) -> int:
    # how often derived records change depends on how events came in chunks, a final result must not
    if score.derived:
        return counts.get(_OF_DERIVED, 0) if final_n is None else final_n
    return counts.get(_OF_EVENTS, 0)


def _last(cell: _Cell, code: int, resolution: int, start: int, end: int) -> int | None:
    newest = cell.last.get(code, NEVER)
    if start <= newest < end:
        return newest
    panes = [held for (width, at), held in cell.panes.items() if width == resolution and start <= at < end]
    times = [partial.last[code] for sources in panes for partial in sources.values() if code in partial.last]
    return max(times, default=None)


def _flat_counts(pane: Pane) -> Counts:
    counts: Counts = {_OF_DERIVED if pane.topic in DERIVED_LABELS else _OF_EVENTS: pane.version}
    for score, accumulator in pane.counts.items():
        counts.update(flat(_CODES[score], accumulator))
    return counts


def _add(counts: Counts, delta: Mapping[int, int], sign: int) -> None:
    for slot, amount in delta.items():
        total = counts.get(slot, 0) + sign * amount
        if total:
            counts[slot] = total
        else:
            counts.pop(slot, None)
