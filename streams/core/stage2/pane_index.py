"""Which cells hold panes of which time, so that what slides into or out of a window is found at once."""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush

from streams.core.scores.compared import CellName
from streams.core.stage2.cell_state import PanePosition
from streams.core.time.lateness import NO_WATERMARK_MS

Retire = Callable[[CellName, PanePosition], bool]
"""Asked when no window contains a cell's pane any more; says whether some of it is kept to look back on."""


class PaneIndex:
    """The panes of all cells by resolution (s) and start (ms).

    `longest` is the longest window of each resolution, `furthest` how far some score looks back beyond
    that, both in ms before the end of the windows.
    """

    def __init__(self, longest: Mapping[int, int], furthest: Mapping[int, int]) -> None:
        self._longest = longest
        self._furthest = furthest
        self._names: dict[PanePosition, set[CellName]] = {}
        self._current: dict[int, list[int]] = {resolution: [] for resolution in longest}
        self._retired: dict[int, list[int]] = {resolution: [] for resolution in longest}
        self._ends = dict.fromkeys(longest, NO_WATERMARK_MS)

    def hold(self, at: PanePosition, name: CellName) -> None:
        """A cell has a pane there."""
        names = self._names.get(at)
        if names is None:
            names = self._names[at] = set()
            resolution, start = at
            queues = self._current if start >= self._floor(resolution) else self._retired
            heappush(queues[resolution], start)
        names.add(name)

    def cells_at(self, at: PanePosition) -> set[CellName]:
        """The cells that have a pane there; there is one."""
        return self._names[at]

    def between(self, resolution: int, first: int, end: int) -> list[int]:
        """Starts of panes within `[first, end)`."""
        width = resolution * 1000
        if end <= first:
            return []
        if (end - first) // width <= len(self._names):
            return [start for start in range(first, end, width) if (resolution, start) in self._names]
        return [start for held, start in self._names if held == resolution and first <= start < end]

    def is_past(self, at: PanePosition, *, looked_back_on: bool) -> bool:
        """Whether nothing can use a pane there any more."""
        resolution, start = at
        return start < (self._last(resolution) if looked_back_on else self._floor(resolution))

    def forget(self, resolution: int, end: int, retire: Retire) -> None:
        """No window made of these panes will end before `end` (ms): let go what nothing can use."""
        self._ends[resolution] = max(end, self._ends[resolution])
        current, retired = self._current[resolution], self._retired[resolution]
        floor, last = self._floor(resolution), self._last(resolution)
        while current and current[0] < floor:
            at = (resolution, heappop(current))
            kept = {name for name in self._names.pop(at) if retire(name, at)}
            if kept:
                self._names[at] = kept
                heappush(retired, at[1])
        while retired and retired[0] < last:
            at = (resolution, heappop(retired))
            for name in self._names.pop(at):
                retire(name, at)

    def earliest(self, resolution: int) -> int | None:
        """Start of the oldest pane that some window contains or will contain."""
        queue = self._current.get(resolution)
        return queue[0] if queue else None

    def _floor(self, resolution: int) -> int:
        return self._ends[resolution] - self._longest[resolution]

    def _last(self, resolution: int) -> int:
        return self._ends[resolution] - self._furthest[resolution]
