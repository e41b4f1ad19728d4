"""What stage 2 holds of one cell: partials as they came, and what its windows sum up to."""

from collections.abc import Mapping

from schemas.pane import Pane
from streams.core.events.source_label import SourceLabel
from streams.core.scores.base import Accumulator
from streams.core.scores.comparison_groups import PREVIOUS_WINDOW_CODES
from streams.core.scores.contributions import SCORE_CODES, STOCK_CODES, only_scores, to_flat_slots
from streams.core.time.instants import to_ms
from streams.core.time.lateness import NO_WATERMARK_MS

PanePosition = tuple[int, int]
"""Resolution (s) and start (ms)."""

SourcePartition = tuple[str, int]
"""Source label and partition."""

PublishedValues = tuple[int, Mapping[str, int], float | None, float | None, float | None]
"""What a result shows: n, counts, value, lower, upper."""

EVENT_CHANGES, DERIVED_CHANGES, COMPARISON_CHANGES = -1, -2, -3
"""Slots that carry the number of changes, so that it slides with the panes."""


class SourcePartial:
    """The newest partial of one source partition for one pane of one cell."""

    __slots__ = ("counts", "last", "version")

    def __init__(self) -> None:
        self.version = 0
        self.last: dict[int, int] = {}
        self.counts: Accumulator = {}

    def take(self, pane: Pane) -> Accumulator:
        """Hold this newer partial; returns the counts of the one before."""
        before = self.counts
        self.counts = {_changes_slot(pane.topic): pane.version}
        for score, accumulator in pane.counts.items():
            self.counts.update(to_flat_slots(SCORE_CODES[score], accumulator))
        self.version = pane.version
        self.last = {SCORE_CODES[score]: to_ms(last) for score, last in pane.last.items()}
        return before

    @property
    def needs_previous_window(self) -> bool:
        """Whether scores that look back ever counted something here."""
        return not PREVIOUS_WINDOW_CODES.isdisjoint(self.last)


class CellState:
    """One cell: its panes by source partition, its accumulators by stretch, its newest event by score.

    `ever` has what its stock scores ever counted, `ahead` for each resolution what of that lies in panes
    that start at the end of the windows or later.
    """

    __slots__ = ("all_time", "all_time_total", "future_panes", "last", "panes", "published", "sums")

    def __init__(self, stretches: int) -> None:
        self.panes: dict[PanePosition, dict[SourcePartition, SourcePartial]] = {}
        self.sums: list[Accumulator] = [{} for _ in range(stretches)]
        self.last: dict[int, int] = {}
        self.published: dict[tuple[int, int], PublishedValues] = {}
        self.all_time: dict[SourcePartition, SourcePartial] = {}
        self.all_time_total: Accumulator = {}
        self.future_panes: dict[int, Accumulator] = {}

    def take_all_time(self, pane: Pane) -> bool:
        """Hold what was ever counted in a source partition; False when that is known already."""
        held = self.all_time.setdefault((pane.topic, pane.partition), SourcePartial())
        if pane.version <= held.version:
            return False
        add(self.all_time_total, only_scores(held.take(pane), STOCK_CODES), -1)
        add(self.all_time_total, only_scores(held.counts, STOCK_CODES), 1)
        return True

    def count_future(self, resolution: int, counts: Accumulator, sign: int) -> None:
        """Count what lies (sign 1) or no longer lies (sign -1) ahead of the windows made of these panes."""
        stock = only_scores(counts, STOCK_CODES)
        if stock:
            ahead = self.future_panes.setdefault(resolution, {})
            add(ahead, stock, sign)
            if not ahead:
                del self.future_panes[resolution]

    def stock_at_end(self, resolution: int) -> Accumulator:
        """What the stock scores counted up to the end of the windows made of these panes."""
        if resolution not in self.future_panes:
            return self.all_time_total
        level = dict(self.all_time_total)
        add(level, self.future_panes[resolution], -1)
        return level

    def retire(self, at: PanePosition, *, is_previous_window: bool) -> bool:
        """Let go a pane that no window contains any more, but for what scores look back on; whether some is left."""
        panes = self.panes.pop(at)
        kept = {origin: held for origin, held in panes.items() if held.needs_previous_window and is_previous_window}
        if kept:
            self.panes[at] = kept
        return bool(kept)

    def newest(self, code: int, resolution: int, start: int, end: int) -> int | None:
        """The newest time (ms) within `[start, end)` that a score has counted."""
        newest = self.last.get(code, NO_WATERMARK_MS)
        if start <= newest < end:
            return newest
        panes = [held for (width, at), held in self.panes.items() if width == resolution and start <= at < end]
        times = [partial.last[code] for origins in panes for partial in origins.values() if code in partial.last]
        return max(times, default=None)


def _changes_slot(label: str) -> int:
    source = SourceLabel.parse(label)
    if source.is_derived:
        return DERIVED_CHANGES
    return COMPARISON_CHANGES if source.group else EVENT_CHANGES


def add(counts: Accumulator, delta: Mapping[int, int], sign: int) -> None:
    """Add to (sign 1) or take away from (sign -1) `counts`, in place; no slot ever holds 0."""
    for slot, amount in delta.items():
        total = counts.get(slot, 0) + sign * amount
        if total:
            counts[slot] = total
        else:
            counts.pop(slot, None)
