"""Cumulative partial results of one source partition: per pane and cell, integers only."""

import msgspec

from streams.core.scores.base import Accumulator
from streams.core.scores.pane_delta import PaneDelta
from streams.core.time.lateness import NO_WATERMARK_MS, Lateness
from streams.core.time.panes import ALL_TIME, pane_start

PaneKey = tuple[str, int, int]
"""Text of a source label, resolution (s), start (ms)."""

_NO_PANE = 2**60


class PanePartial(msgspec.Struct, array_like=True):
    """What one cell has in one pane: `version` counts the changes, `last` is the newest time (ms) by score code."""

    version: int
    last: dict[int, int]
    counts: Accumulator


class Partials:
    """All open panes of one source partition."""

    def __init__(self, lateness: Lateness) -> None:
        self._lateness = lateness
        self._resolutions_s = lateness.resolutions_s
        self._panes: dict[PaneKey, dict[int, PanePartial]] = {}
        self.changed: set[tuple[PaneKey, int]] = set()
        """Panes and cells that changed since the last drain."""
        self._oldest: dict[tuple[str, int], int] = {}

    def apply(self, label: str, cells: tuple[int, ...], start_ms: int, watermark_ms: int, delta: PaneDelta) -> None:
        """Roll a delta up to its cells, at every resolution whose pane is still open."""
        for resolution_s in self._resolutions_s:
            self.apply_at(resolution_s, label, cells, pane_start(start_ms, resolution_s), watermark_ms, delta)

    def apply_at(
        self, resolution_s: int, label: str, cells: tuple[int, ...], start_ms: int, watermark_ms: int, delta: PaneDelta
    ) -> None:
        """Roll a delta up to the pane of its cells that starts at `start_ms`, if that is still open."""
        if not self._lateness.is_closed(start_ms, resolution_s, watermark_ms):
            self._roll_up((label, resolution_s, start_ms), cells, delta)

    def apply_all_time(self, label: str, cells: tuple[int, ...], delta: PaneDelta) -> None:
        """Roll a delta of stock scores up to what its cells have over all time, however late it is."""
        self._roll_up((label, ALL_TIME, 0), cells, delta)

    def expire(self, label: str, watermark_ms: int, most: int = 2**60) -> list[tuple[PaneKey, int]]:
        """Drop at most so many partials of panes the watermark has closed, but none to be drained, and name them."""
        gone: list[tuple[PaneKey, int]] = []
        for resolution_s in self._resolutions_s:
            oldest = self._oldest.get((label, resolution_s), _NO_PANE)
            if not self._lateness.is_closed(oldest, resolution_s, watermark_ms):
                continue
            starts_ms = {start_ms for name, width, start_ms in self._panes if name == label and width == resolution_s}
            waiting = {
                start_ms for (name, width, start_ms), _ in self.changed if name == label and width == resolution_s
            }
            for start_ms in sorted(starts_ms - waiting):
                if len(gone) >= most or not self._lateness.is_closed(start_ms, resolution_s, watermark_ms):
                    break
                gone += self._close((label, resolution_s, start_ms), most - len(gone))
            left = (start_ms for start_ms in starts_ms if (label, resolution_s, start_ms) in self._panes)
            self._oldest[label, resolution_s] = min(left, default=_NO_PANE)
        return gone

    def drain(self) -> list[tuple[PaneKey, int, PanePartial]]:
        """The partials that changed since the last call, in a fixed order."""
        changed = [(key, cell, self._panes[key][cell]) for key, cell in sorted(self.changed)]
        self.changed = set()
        return changed

    def load(self, key: PaneKey, cell: int, partial: PanePartial) -> None:
        """Take back one partial from the changelog."""
        pane = self._panes.get(key)
        if pane is None:
            pane = self._open(key)
        pane[cell] = partial

    def unload(self, key: PaneKey, cell: int) -> None:
        """Take back a deletion from the changelog."""
        pane = self._panes.get(key, {})
        pane.pop(cell, None)
        if not pane:
            self._panes.pop(key, None)

    def __len__(self) -> int:
        return sum(map(len, self._panes.values()))

    def _roll_up(self, key: PaneKey, cells: tuple[int, ...], delta: PaneDelta) -> None:
        pane = self._panes.get(key)
        if pane is None:
            pane = self._open(key)
        for cell in cells:
            self.changed.add((key, cell))
            partial = pane.get(cell)
            if partial is None:
                partial = pane[cell] = PanePartial(0, {}, {})
            _merge(partial, delta)

    def _open(self, key: PaneKey) -> dict[int, PanePartial]:
        label, resolution_s, start_ms = key
        self._oldest[label, resolution_s] = min(start_ms, self._oldest.get((label, resolution_s), start_ms))
        return self._panes.setdefault(key, {})

    def _close(self, key: PaneKey, most: int) -> list[tuple[PaneKey, int]]:
        pane = self._panes[key]
        cells = list(pane)[:most]
        for cell in cells:
            del pane[cell]
        if not pane:
            del self._panes[key]
        return [(key, cell) for cell in cells]


def _merge(partial: PanePartial, delta: PaneDelta) -> None:
    partial.version += delta.changes
    for code, time_ms in delta.last.items():
        partial.last[code] = max(time_ms, partial.last.get(code, NO_WATERMARK_MS))
    counts = partial.counts
    for slot, amount in delta.counts.items():
        total = counts.get(slot, 0) + amount
        if total:
            counts[slot] = total
        else:
            counts.pop(slot, None)
