"""The replay clock: windows end where event time has got to, and every result is final."""

from collections.abc import Mapping

from schemas.catalogue import REKEYED
from schemas.pane import Watermark
from schemas.score import Score
from streams.core.lateness import NEVER, Lateness
from streams.core.sources import milliseconds
from streams.core.windows import Windows

SourcePartition = tuple[str, int]


class Boundaries:
    """Decides which boundaries of a replay are due, from the watermarks that came with the panes.

    `every` (ms) spaces the boundaries; 0 gives results at the end of the data only. `ends` are the
    record counts of the source partitions when the replay began: one that has been read to its end
    no longer holds the others back.
    """

    def __init__(self, windows: Windows, lateness: Lateness, every: int, ends: Mapping[SourcePartition, int]) -> None:
        self._windows = windows
        self._wait = lateness.wait
        self._every = every
        self._ends = dict(ends)
        self._marks: dict[SourcePartition, int] = {}
        self._newest = NEVER
        self._next: dict[int, int] = {}
        self._rekeyed = False

    def mark(self, watermark: Watermark) -> None:
        """Take one watermark of a source partition."""
        time = NEVER if watermark.time is None else milliseconds(watermark.time)
        self._newest = max(self._newest, time)
        self._rekeyed = self._rekeyed or watermark.topic.startswith(REKEYED.name)
        source = (watermark.topic, watermark.partition)
        self._marks[source] = max(time, self._marks.get(source, NEVER))
        if watermark.offset + 1 >= self._ends.get(source, 0):
            self._ends.pop(source, None)

    def due(self) -> list[Score]:
        """The results of all boundaries that no accepted event can change any more."""
        if not self._every or self._rekeyed:
            return []
        low = min((self._marks.get(source, NEVER) for source in self._ends), default=NEVER)
        return [score for resolution, wait in self._wait.items() for score in self._until(resolution, low - wait)]

    def finish(self) -> list[Score]:
        """What is left at the end of the data: the boundaries up to it, and the end itself."""
        if self._newest == NEVER:
            return []
        records = []
        for resolution in self._wait:
            width = resolution * 1000
            end = self._newest - self._newest % width + width
            if self._every:
                records.extend(self._until(resolution, min(self._newest, end - 1)))
            self._windows.slide(resolution, end)
            records.extend(self._windows.everything(resolution))
        return records

    def _until(self, resolution: int, time: int) -> list[Score]:
        records: list[Score] = []
        earliest = self._windows.earliest(resolution)
        if earliest is None:
            return records
        following = earliest - earliest % self._every + self._every
        boundary = max(following, self._next.get(resolution, following))
        while boundary <= time:
            self._windows.slide(resolution, boundary)
            records.extend(self._windows.everything(resolution))
            boundary += self._every
        self._next[resolution] = boundary
        return records
