"""What stage 2 holds of one cell: partials as they came, and what its windows sum up to."""

from collections.abc import Mapping

from schemas.pane import Pane
from streams.core.events.sources import milliseconds
from streams.core.scores.contributions import CODES, STOCK, flat, of_scores
from streams.core.stage1.comparison_inputs import LOOKING_BACK, meeting_of
from streams.core.stage1.outcomes import DERIVED_LABELS
from streams.core.stage1.partials import Counts
from streams.core.time.lateness import NEVER

PaneAt = tuple[int, int]
"""Resolution (s) and start (ms)."""

Origin = tuple[str, int]
"""Source label and partition."""

Shown = tuple[int, Mapping[str, int], float | None, float | None, float | None]
"""What a result shows: n, counts, value, lower, upper."""

OF_EVENTS, OF_DERIVED, OF_COMPARED = -1, -2, -3
"""Slots that carry the number of changes, so that it slides with the panes."""


class Held:
    """The newest partial of one source partition for one pane of one cell."""

    __slots__ = ("counts", "last", "version")

    def __init__(self) -> None:
        self.version = 0
        self.last: dict[int, int] = {}
        self.counts: Counts = {}

    def take(self, pane: Pane) -> Counts:
        """Hold this newer partial; returns the counts of the one before."""
        before = self.counts
        self.counts = {_changes_slot(pane.topic): pane.version}
        for score, accumulator in pane.counts.items():
            self.counts.update(flat(CODES[score], accumulator))
        self.version = pane.version
        self.last = {CODES[score]: milliseconds(last) for score, last in pane.last.items()}
        return before

    @property
    def looks_back(self) -> bool:
        """Whether scores that look back ever counted something here."""
        return not LOOKING_BACK.isdisjoint(self.last)


class Cell:
    """One cell: its panes by source partition, its accumulators by stretch, its newest event by score.

    `ever` has what its stock scores ever counted, `ahead` for each resolution what of that lies in panes
    that start at the end of the windows or later.
    """

    __slots__ = ("ahead", "ever", "last", "panes", "published", "sums", "total")

    def __init__(self, stretches: int) -> None:
        self.panes: dict[PaneAt, dict[Origin, Held]] = {}
        self.sums: list[Counts] = [{} for _ in range(stretches)]
        self.last: dict[int, int] = {}
        self.published: dict[tuple[int, int], Shown] = {}
        self.ever: dict[Origin, Held] = {}
        self.total: Counts = {}
        self.ahead: dict[int, Counts] = {}

    def take_ever(self, pane: Pane) -> bool:
        """Hold what was ever counted in a source partition; False when that is known already."""
        held = self.ever.setdefault((pane.topic, pane.partition), Held())
        if pane.version <= held.version:
            return False
        add(self.total, of_scores(held.take(pane), STOCK), -1)
        add(self.total, of_scores(held.counts, STOCK), 1)
        return True

    def get_ahead(self, resolution: int, counts: Counts, sign: int) -> None:
        """Count what lies (sign 1) or no longer lies (sign -1) ahead of the windows made of these panes."""
        stock = of_scores(counts, STOCK)
        if stock:
            ahead = self.ahead.setdefault(resolution, {})
            add(ahead, stock, sign)
            if not ahead:
                del self.ahead[resolution]

    def level(self, resolution: int) -> Counts:
        """What the stock scores counted up to the end of the windows made of these panes."""
        if resolution not in self.ahead:
            return self.total
        level = dict(self.total)
        add(level, self.ahead[resolution], -1)
        return level

    def retire(self, at: PaneAt, *, looked_back_on: bool) -> bool:
        """Let go a pane that no window contains any more, but for what scores look back on; whether some is left."""
        panes = self.panes.pop(at)
        kept = {origin: held for origin, held in panes.items() if held.looks_back and looked_back_on}
        if kept:
            self.panes[at] = kept
        return bool(kept)

    def newest(self, code: int, resolution: int, start: int, end: int) -> int | None:
        """The newest time (ms) within `[start, end)` that a score has counted."""
        newest = self.last.get(code, NEVER)
        if start <= newest < end:
            return newest
        panes = [held for (width, at), held in self.panes.items() if width == resolution and start <= at < end]
        times = [partial.last[code] for origins in panes for partial in origins.values() if code in partial.last]
        return max(times, default=None)


def _changes_slot(label: str) -> int:
    if label in DERIVED_LABELS:
        return OF_DERIVED
    return OF_EVENTS if meeting_of(label) is None else OF_COMPARED


def add(counts: Counts, delta: Mapping[int, int], sign: int) -> None:
    """Add to (sign 1) or take away from (sign -1) `counts`, in place; no slot ever holds 0."""
    for slot, amount in delta.items():
        total = counts.get(slot, 0) + sign * amount
        if total:
            counts[slot] = total
        else:
            counts.pop(slot, None)
