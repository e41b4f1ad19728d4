"""The state of one cell in stage 2: its partials, and the sums of its windows."""

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
"""The part of a result whose change is published: n, counts, value, lower, upper."""

EVENT_CHANGES, DERIVED_CHANGES, COMPARISON_CHANGES = -1, -2, -3
"""Slots for the number of changes, from which revisions follow. As slots they are summed and slide with the counts."""


class SourcePartial:
    """The newest partial of one source partition for one pane of one cell, as flat counts.

    The whole partial is kept, not only its part of the sums: partials are cumulative, so a newer one replaces the older
    one and only their difference changes the sums. A lost or repeated message then does no harm.
    """

    __slots__ = ("counts", "newest_ms", "version")

    def __init__(self) -> None:
        self.version = 0
        self.newest_ms: dict[int, int] = {}
        self.counts: Accumulator = {}

    def replace(self, pane: Pane) -> Accumulator:
        """Take over a newer partial; returns the counts of the old one."""
        old = self.counts
        self.counts = {_changes_slot(pane.topic): pane.version}
        for score, accumulator in pane.counts.items():
            self.counts.update(to_flat_slots(SCORE_CODES[score], accumulator))
        self.version = pane.version
        self.newest_ms = {SCORE_CODES[score]: to_ms(newest) for score, newest in pane.last.items()}
        return old

    @property
    def needs_previous_window(self) -> bool:
        """Whether a score that compares with the previous window ever counted something here."""
        return not PREVIOUS_WINDOW_CODES.isdisjoint(self.newest_ms)


class CellState:
    """One cell: its partials by pane, the sum of each range, the newest event time and the last result of each score.

    The stock of a score at the end of the windows is `all_time_total`, everything counted since the beginning, less
    `future_panes`, the part of it in panes that start at that end or later. Summing all panes before the end instead
    was rejected: panes older than the longest window are dropped, and late events no longer reach closed panes.
    """

    __slots__ = ("all_time", "all_time_total", "future_panes", "newest_ms", "panes", "published", "sums")

    def __init__(self, range_count: int) -> None:
        self.panes: dict[PanePosition, dict[SourcePartition, SourcePartial]] = {}
        self.sums: list[Accumulator] = [{} for _ in range(range_count)]
        self.newest_ms: dict[int, int] = {}
        self.published: dict[tuple[int, int], PublishedValues] = {}
        self.all_time: dict[SourcePartition, SourcePartial] = {}
        self.all_time_total: Accumulator = {}
        self.future_panes: dict[int, Accumulator] = {}

    def apply_all_time(self, pane: Pane) -> bool:
        """Take over the counts since the beginning of one source partition; False if they are not newer."""
        partial = self.all_time.setdefault((pane.topic, pane.partition), SourcePartial())
        if pane.version <= partial.version:
            return False
        add(self.all_time_total, only_scores(partial.replace(pane), STOCK_CODES), -1)
        add(self.all_time_total, only_scores(partial.counts, STOCK_CODES), 1)
        return True

    def count_future(self, resolution_s: int, counts: Accumulator, sign: int) -> None:
        """Add (sign 1) or remove (sign -1) the counts of a pane that starts at the end of its windows or later."""
        stock = only_scores(counts, STOCK_CODES)
        if stock:
            future = self.future_panes.setdefault(resolution_s, {})
            add(future, stock, sign)
            if not future:
                del self.future_panes[resolution_s]

    def stock_at_end(self, resolution_s: int) -> Accumulator:
        """The counts of the stock scores since the beginning, up to the end of the windows of this resolution."""
        if resolution_s not in self.future_panes:
            return self.all_time_total
        stock = dict(self.all_time_total)
        add(stock, self.future_panes[resolution_s], -1)
        return stock

    def retire(self, position: PanePosition, *, in_previous_window: bool) -> bool:
        """Drop a pane that no window contains any more; returns whether some of its partials stay.

        A partial stays if a previous window contains the pane and a score compares with it.
        """
        partials = self.panes.pop(position)
        kept = {source: p for source, p in partials.items() if in_previous_window and p.needs_previous_window}
        if kept:
            self.panes[position] = kept
        return bool(kept)

    def newest_event_ms(self, code: int, resolution_s: int, start_ms: int, end_ms: int) -> int | None:
        """The newest event time within `[start_ms, end_ms)` that a score has counted."""
        # The newest of all panes nearly always lies in the window. Only otherwise are the panes searched.
        newest_ms = self.newest_ms.get(code, NO_WATERMARK_MS)
        if start_ms <= newest_ms < end_ms:
            return newest_ms
        panes = [p for (width, at), p in self.panes.items() if width == resolution_s and start_ms <= at < end_ms]
        times = [partial.newest_ms[code] for pane in panes for partial in pane.values() if code in partial.newest_ms]
        return max(times, default=None)


def _changes_slot(label: str) -> int:
    source = SourceLabel.parse(label)
    if source.is_derived:
        return DERIVED_CHANGES
    return COMPARISON_CHANGES if source.group else EVENT_CHANGES


def add(counts: Accumulator, delta: Mapping[int, int], sign: int) -> None:
    """Add `delta` to `counts` (sign 1) or subtract it (sign -1), in place; no slot holds 0 afterwards."""
    for slot, amount in delta.items():
        total = counts.get(slot, 0) + sign * amount
        if total:
            counts[slot] = total
        else:
            counts.pop(slot, None)
