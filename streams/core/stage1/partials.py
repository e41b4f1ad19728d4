"""Cumulative partial results of one source partition: per pane and cell, integers only."""

import msgspec

from streams.core.time.lateness import NO_WATERMARK_MS, Lateness
from streams.core.time.panes import pane_start

Counts = dict[int, int]
Slots = tuple[tuple[int, int], ...]
PaneKey = tuple[str, int, int]
"""Source label, resolution (s), start (ms)."""

FINEST_RESOLUTION_S = 10
ALL_TIME = 0
"""In place of a resolution: the partial of a cell that starts in 1970, never closes, and holds stock scores only."""

PARTIAL_BYTES = 320
"""An estimate of one partial in a checkpoint, with its key."""

_NO_PANE = 2**60


class PanePartial(msgspec.Struct, array_like=True):
    """What one cell has in one pane: `version` counts the changes, `last` is the newest time (ms) by score code."""

    version: int
    last: dict[int, int]
    counts: Counts


class PaneDelta:
    """What one chunk adds for one combination of dimensions in one 10 s pane."""

    __slots__ = ("changes", "counts", "last")

    def __init__(self) -> None:
        self.changes = 0
        self.last: dict[int, int] = {}
        self.counts: Counts = {}

    def add(self, slots: Slots, codes: tuple[int, ...], time: int, sign: int = 1, number: int = 1) -> None:
        """Add (or with sign -1 retract) a contribution to the scores with these codes, `number` times."""
        counts, last = self.counts, self.last
        self.changes += number
        for code in codes:
            if time > last.get(code, NO_WATERMARK_MS):
                last[code] = time
        for slot, amount in slots:
            counts[slot] = counts.get(slot, 0) + sign * number * amount


class Partials:
    """All open panes of one source partition."""

    def __init__(self, lateness: Lateness) -> None:
        self._lateness = lateness
        self._resolutions = lateness.resolutions_s
        self._panes: dict[PaneKey, dict[int, PanePartial]] = {}
        self._dirty: set[tuple[PaneKey, int]] = set()
        self._oldest: dict[tuple[str, int], int] = {}

    @property
    def pending_bytes(self) -> int:
        """An estimate of what the changes since the last drain take in a checkpoint."""
        return len(self._dirty) * PARTIAL_BYTES

    def apply(self, label: str, cells: tuple[int, ...], start: int, watermark: int, bucket: PaneDelta) -> None:
        """Roll a bucket up to its cells, at every resolution whose pane is still open."""
        for resolution in self._resolutions:
            self.apply_at(resolution, label, cells, pane_start(start, resolution), watermark, bucket)

    def apply_at(
        self, resolution: int, label: str, cells: tuple[int, ...], start: int, watermark: int, bucket: PaneDelta
    ) -> None:
        """Roll a bucket up to the pane of its cells that starts at `start` (ms), if that is still open."""
        if not self._lateness.is_closed(start, resolution, watermark):
            self._roll_up((label, resolution, start), cells, bucket)

    def apply_all_time(self, label: str, cells: tuple[int, ...], bucket: PaneDelta) -> None:
        """Roll a bucket of stock scores up to what its cells ever counted, however late it is."""
        self._roll_up((label, ALL_TIME, 0), cells, bucket)

    def expire(self, label: str, watermark: int, most: int = 2**60) -> list[tuple[PaneKey, int]]:
        """Drop at most so many partials of panes the watermark has closed, but none to be drained, and name them."""
        gone: list[tuple[PaneKey, int]] = []
        for resolution in self._resolutions:
            oldest = self._oldest.get((label, resolution), _NO_PANE)
            if not self._lateness.is_closed(oldest, resolution, watermark):
                continue
            starts = {start for name, width, start in self._panes if name == label and width == resolution}
            waiting = {start for (name, width, start), _ in self._dirty if name == label and width == resolution}
            for start in sorted(starts - waiting):
                if len(gone) >= most or not self._lateness.is_closed(start, resolution, watermark):
                    break
                gone += self._close((label, resolution, start), most - len(gone))
            left = (start for start in starts if (label, resolution, start) in self._panes)
            self._oldest[label, resolution] = min(left, default=_NO_PANE)
        return gone

    def drain(self) -> list[tuple[PaneKey, int, PanePartial]]:
        """The partials that changed since the last call, in a fixed order."""
        changed = [(key, cell, self._panes[key][cell]) for key, cell in sorted(self._dirty)]
        self._dirty = set()
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

    def _roll_up(self, key: PaneKey, cells: tuple[int, ...], bucket: PaneDelta) -> None:
        pane = self._panes.get(key)
        if pane is None:
            pane = self._open(key)
        for cell in cells:
            self._dirty.add((key, cell))
            partial = pane.get(cell)
            if partial is None:
                partial = pane[cell] = PanePartial(0, {}, {})
            _merge(partial, bucket)

    def _open(self, key: PaneKey) -> dict[int, PanePartial]:
        label, resolution, start = key
        self._oldest[label, resolution] = min(start, self._oldest.get((label, resolution), start))
        return self._panes.setdefault(key, {})

    def _close(self, key: PaneKey, most: int) -> list[tuple[PaneKey, int]]:
        pane = self._panes[key]
        cells = list(pane)[:most]
        for cell in cells:
            del pane[cell]
        if not pane:
            del self._panes[key]
        return [(key, cell) for cell in cells]


def _merge(partial: PanePartial, bucket: PaneDelta) -> None:
    partial.version += bucket.changes
    for code, time in bucket.last.items():
        partial.last[code] = max(time, partial.last.get(code, NO_WATERMARK_MS))
    counts = partial.counts
    for slot, amount in bucket.counts.items():
        total = counts.get(slot, 0) + amount
        if total:
            counts[slot] = total
        else:
            counts.pop(slot, None)
