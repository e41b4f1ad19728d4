"""The replay clock: windows end where event time has got to, and every result is final."""

from collections.abc import Iterator, Mapping
from math import lcm

from schemas.pane import Pane, Watermark
from schemas.score import Score
from streams.core.scores import SCORES
from streams.core.stage2.windows import Windows
from streams.core.time.instants import to_ms
from streams.core.time.lateness import NO_WATERMARK_MS, Lateness

SourcePartition = tuple[str, int]

AT_END = frozenset(score.name for score in SCORES if score.at_end)
"""What a replay can tell only at the end of the data."""


class ReplayClock:
    """Decides which boundaries of a replay are due, from the watermarks that came with the panes.

    `every` (ms) spaces the boundaries; 0 gives results at the end of the data only. `ends` are the
    offsets after the last record of the source partitions that had any when the replay began: one
    that has been read to its end no longer holds the others back.

    Partials are handed to the windows when the watermark comes that covers them, so that what was
    ever counted and what lies ahead of a boundary are always of the same moment.
    """

    def __init__(self, windows: Windows, lateness: Lateness, every: int, ends: Mapping[SourcePartition, int]) -> None:
        self._windows = windows
        self._wait = lateness.wait_ms
        self._every = every
        self._ends = dict(ends)
        self._marks: dict[SourcePartition, int] = {}
        self._newest = NO_WATERMARK_MS
        self._next: dict[int, int] = {}
        self._waiting: dict[int, list[Pane]] = {}

    def apply(self, pane: Pane) -> None:
        """Take one partial, to be counted with the next watermark of its source partition."""
        self._waiting.setdefault(pane.partition, []).append(pane)

    def mark(self, watermark: Watermark) -> None:
        """Take one watermark of a source partition, and count the partials it covers."""
        self._count(watermark.partition)
        time = NO_WATERMARK_MS if watermark.time is None else to_ms(watermark.time)
        self._newest = max(self._newest, time)
        source = (watermark.topic, watermark.partition)
        self._marks[source] = max(time, self._marks.get(source, NO_WATERMARK_MS))
        if watermark.offset + 1 >= self._ends.get(source, 0):
            self._ends.pop(source, None)

    def due(self) -> Iterator[Score]:
        """The results of all boundaries that no accepted event can change any more.

        Not to be asked once records have been re-keyed: nobody knows when the last of them arrives.
        """
        if self._every:
            low = min((self._marks.get(source, NO_WATERMARK_MS) for source in self._ends), default=NO_WATERMARK_MS)
            for resolution, wait in self._wait.items():
                yield from self._until(resolution, low - wait)
        elif self._newest != NO_WATERMARK_MS:
            for resolution in self._wait:
                self._windows.skip(resolution, self._end(resolution))

    def finish(self) -> Iterator[Score]:
        """What is left at the end of the data: the boundaries up to it, and the end itself."""
        for partition in list(self._waiting):
            self._count(partition)
        if self._newest == NO_WATERMARK_MS:
            return
        for resolution in self._wait:
            if self._every:
                yield from self._until(resolution, self._newest)
            self._windows.slide(resolution, self._end(resolution))
            # of what is told at the end only there is nothing yet that an empty result could replace
            yield from (one for one in self._windows.everything(resolution) if one.n or one.score not in AT_END)

    def _end(self, resolution: int) -> int:
        width = resolution * 1000
        return self._newest - self._newest % width + width

    def _count(self, partition: int) -> None:
        for pane in self._waiting.pop(partition, ()):
            self._windows.apply(pane)

    def _until(self, resolution: int, time: int) -> Iterator[Score]:
        step = lcm(self._every, resolution * 1000)
        while (boundary := self._following(resolution, step)) is not None and boundary <= time:
            self._windows.slide(resolution, boundary)
            self._next[resolution] = boundary + step
            yield from (one for one in self._windows.everything(resolution) if one.score not in AT_END)

    def _following(self, resolution: int, step: int) -> int | None:
        """The next boundary at which there is something to show; where no pane is left, that is after the next one."""
        following, earliest = self._next.get(resolution, NO_WATERMARK_MS), self._windows.earliest(resolution)
        if following != NO_WATERMARK_MS and self._windows.has_stocks(resolution):
            return following
        return None if earliest is None else max(earliest - earliest % step + step, following)
