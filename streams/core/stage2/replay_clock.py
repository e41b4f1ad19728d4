"""The replay clock: windows end where event time has arrived, and every result is final."""

from collections.abc import Iterator, Mapping
from math import lcm

from schemas.pane import Pane, Watermark
from schemas.score import Score
from streams.core.scores import SCORES
from streams.core.stage2.cell_state import SourcePartition
from streams.core.stage2.windows import Windows
from streams.core.time.instants import to_ms
from streams.core.time.lateness import NO_WATERMARK_MS, Lateness

AT_END = frozenset(score.name for score in SCORES if score.at_end)
"""Scores that a replay publishes only at the end of the data."""


class ReplayClock:
    """Decides which boundaries of a replay are due, from the watermarks that follow the panes.

    A boundary is a common end of windows. Boundaries are multiples of `every_ms`; with 0 the end of the data is the
    only one. `end_offsets` are the offsets after the last record of each source partition at the start of the replay.

    Time is that of the slowest source partition, less the wait for corrections. Taking the newest event instead was
    rejected: source partitions are read at different speeds, and windows would end before the slower ones have got
    there. A partition that was read to its end no longer counts, or it would hold up the others for ever.
    """

    def __init__(
        self, windows: Windows, lateness: Lateness, every_ms: int, end_offsets: Mapping[SourcePartition, int]
    ) -> None:
        self._windows = windows
        self._wait_ms = lateness.wait_ms
        self._every_ms = every_ms
        self._end_offsets = dict(end_offsets)
        self._watermarks_ms: dict[SourcePartition, int] = {}
        self._newest_ms = NO_WATERMARK_MS
        self._next_ms: dict[int, int] = {}
        self._pending: dict[int, list[Pane]] = {}

    def apply(self, pane: Pane) -> None:
        """Take one partial; it counts with the next watermark of its partition.

        Partials of one checkpoint belong together: the counts since the beginning and the panes they are in. Applied
        one by one, a boundary in between would count an event in one of them only.
        """
        self._pending.setdefault(pane.partition, []).append(pane)

    def apply_watermark(self, watermark: Watermark) -> None:
        """Take one watermark of a source partition, and count the partials that came before it."""
        self._apply_pending(watermark.partition)
        time_ms = NO_WATERMARK_MS if watermark.time is None else to_ms(watermark.time)
        self._newest_ms = max(self._newest_ms, time_ms)
        source = (watermark.topic, watermark.partition)
        self._watermarks_ms[source] = max(time_ms, self._watermarks_ms.get(source, NO_WATERMARK_MS))
        if watermark.offset + 1 >= self._end_offsets.get(source, 0):
            self._end_offsets.pop(source, None)

    def due(self) -> Iterator[Score]:
        """The results of all boundaries that no accepted event can change any more.

        Do not call it once records were re-keyed: the time at which the last of them arrives is unknown.
        """
        if self._every_ms:
            slowest_ms = min((self._watermark_ms(source) for source in self._end_offsets), default=NO_WATERMARK_MS)
            for resolution_s, wait_ms in self._wait_ms.items():
                yield from self._results_until(resolution_s, slowest_ms - wait_ms)
        elif self._newest_ms != NO_WATERMARK_MS:
            for resolution_s in self._wait_ms:
                self._windows.skip(resolution_s, self._end_ms(resolution_s))

    def finish(self) -> Iterator[Score]:
        """The remaining results at the end of the data: those of the boundaries before it, and of the end itself."""
        for partition in list(self._pending):
            self._apply_pending(partition)
        if self._newest_ms == NO_WATERMARK_MS:
            return
        for resolution_s in self._wait_ms:
            if self._every_ms:
                yield from self._results_until(resolution_s, self._newest_ms)
            self._windows.slide(resolution_s, self._end_ms(resolution_s))
            # A score that is published only here has no earlier result that an empty one could replace.
            results = self._windows.final_results(resolution_s)
            yield from (result for result in results if result.n or result.score not in AT_END)

    def _watermark_ms(self, source: SourcePartition) -> int:
        return self._watermarks_ms.get(source, NO_WATERMARK_MS)

    def _end_ms(self, resolution_s: int) -> int:
        pane_ms = resolution_s * 1000
        return self._newest_ms - self._newest_ms % pane_ms + pane_ms

    def _apply_pending(self, partition: int) -> None:
        for pane in self._pending.pop(partition, ()):
            self._windows.apply(pane)

    def _results_until(self, resolution_s: int, time_ms: int) -> Iterator[Score]:
        step_ms = lcm(self._every_ms, resolution_s * 1000)
        while (boundary_ms := self._next_boundary_ms(resolution_s, step_ms)) is not None and boundary_ms <= time_ms:
            self._windows.slide(resolution_s, boundary_ms)
            self._next_ms[resolution_s] = boundary_ms + step_ms
            results = self._windows.final_results(resolution_s)
            yield from (result for result in results if result.score not in AT_END)

    def _next_boundary_ms(self, resolution_s: int, step_ms: int) -> int | None:
        """The next boundary with results. Boundaries without any pane are skipped unless there are stocks."""
        next_ms = self._next_ms.get(resolution_s, NO_WATERMARK_MS)
        if next_ms != NO_WATERMARK_MS and self._windows.has_stocks(resolution_s):
            return next_ms
        oldest_ms = self._windows.oldest_pane_ms(resolution_s)
        return None if oldest_ms is None else max(oldest_ms - oldest_ms % step_ms + step_ms, next_ms)
