"""Finds the panes that enter or leave a window when it slides, over all cells."""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush

from streams.core.scores.compared import CellName
from streams.core.stage2.cell_state import PanePosition
from streams.core.time.lateness import NO_WATERMARK_MS

Retire = Callable[[CellName, PanePosition], bool]
"""Called when no window contains a cell's pane any more; returns whether some of it stays for previous windows."""


class PaneIndex:
    """The cells that have panes, by position of the pane.

    `longest_ms` is the length of the longest window of each resolution, `reach_ms` how far before the end of the
    windows its longest previous window begins.
    """

    def __init__(self, longest_ms: Mapping[int, int], reach_ms: Mapping[int, int]) -> None:
        self._longest_ms = longest_ms
        self._reach_ms = reach_ms
        self._names: dict[PanePosition, set[CellName]] = {}
        # Heaps of starts, because partials arrive in any order and panes are dropped oldest first. Panes that only
        # previous windows contain have heaps of their own: otherwise they would hide the oldest pane of a window.
        self._in_windows: dict[int, list[int]] = {resolution_s: [] for resolution_s in longest_ms}
        self._in_previous: dict[int, list[int]] = {resolution_s: [] for resolution_s in longest_ms}
        self._ends_ms = dict.fromkeys(longest_ms, NO_WATERMARK_MS)

    def add(self, position: PanePosition, name: CellName) -> None:
        """Note that a cell has a pane at this position."""
        names = self._names.get(position)
        if names is None:
            names = self._names[position] = set()
            resolution_s, start_ms = position
            heaps = self._in_windows if start_ms >= self._oldest_in_window_ms(resolution_s) else self._in_previous
            heappush(heaps[resolution_s], start_ms)
        names.add(name)

    def cells_at(self, position: PanePosition) -> set[CellName]:
        """The cells that have a pane at this position; raises `KeyError` if there is none."""
        return self._names[position]

    def starts_between(self, resolution_s: int, first_ms: int, end_ms: int) -> list[int]:
        """Starts (ms) of the panes that start within `[first_ms, end_ms)`."""
        if end_ms <= first_ms:
            return []
        pane_ms = resolution_s * 1000
        # A slide passes few positions, so each is looked up. A jump of the clock may pass millions of positions without
        # a pane; then it is cheaper to look at every pane there is.
        if (end_ms - first_ms) // pane_ms <= len(self._names):
            return [start for start in range(first_ms, end_ms, pane_ms) if (resolution_s, start) in self._names]
        return [start for width, start in self._names if width == resolution_s and first_ms <= start < end_ms]

    def is_past(self, position: PanePosition, *, needs_previous_window: bool) -> bool:
        """Whether neither a window nor, where that matters, a previous window can contain the position any more."""
        resolution_s, start_ms = position
        oldest = self._oldest_in_previous_ms if needs_previous_window else self._oldest_in_window_ms
        return start_ms < oldest(resolution_s)

    def retire_until(self, resolution_s: int, end_ms: int, retire: Retire) -> None:
        """No window of this resolution will end before `end_ms`: drop the panes that are no longer contained."""
        self._ends_ms[resolution_s] = max(end_ms, self._ends_ms[resolution_s])
        in_windows, in_previous = self._in_windows[resolution_s], self._in_previous[resolution_s]
        oldest_in_window_ms = self._oldest_in_window_ms(resolution_s)
        oldest_in_previous_ms = self._oldest_in_previous_ms(resolution_s)
        while in_windows and in_windows[0] < oldest_in_window_ms:
            position = (resolution_s, heappop(in_windows))
            kept = {name for name in self._names.pop(position) if retire(name, position)}
            if kept:
                self._names[position] = kept
                heappush(in_previous, position[1])
        while in_previous and in_previous[0] < oldest_in_previous_ms:
            position = (resolution_s, heappop(in_previous))
            for name in self._names.pop(position):
                retire(name, position)

    def oldest_start_ms(self, resolution_s: int) -> int | None:
        """Start of the oldest pane that some window contains or will contain."""
        heap = self._in_windows.get(resolution_s)
        return heap[0] if heap else None

    def _oldest_in_window_ms(self, resolution_s: int) -> int:
        return self._ends_ms[resolution_s] - self._longest_ms[resolution_s]

    def _oldest_in_previous_ms(self, resolution_s: int) -> int:
        return self._ends_ms[resolution_s] - self._reach_ms[resolution_s]
