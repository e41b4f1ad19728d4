"""The bounds of lateness: when an event no longer counts, and when a pane no longer changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.core.time.spans import Span

NO_WATERMARK_MS = -(2**60)
"""A watermark before any event, in milliseconds."""

EARLIEST_MS = -2_208_988_800_000
"""1900-01-01 in milliseconds; events before it are rejected."""


@dataclass(frozen=True)
class Lateness:
    """The bounds, in milliseconds; the last two by resolution (s).

    Each is applied to the watermark of one source partition. One watermark for all of them would drop good events
    whenever a backlog is read unevenly.

    `allowance_ms` is how far behind the watermark an event still counts, `future_ms` how far after its arrival an event
    may claim to have happened. `wait_ms` is how long after its end a window of a replay may still be corrected: as
    long as the longest window made of these panes, or `final_after` if that is more, but no longer than the
    allowance. `keep_ms` is how far behind the watermark a pane stays open for that: the longest window and the wait.
    """

    allowance_ms: int
    future_ms: int
    keep_ms: dict[int, int]
    wait_ms: dict[int, int]

    @classmethod
    def for_spans(cls, spans: Sequence[Span], allowance_s: int, future_s: int, final_after_s: int = 0) -> "Lateness":
        """The bounds for windows of these lengths."""
        longest_ms: dict[int, int] = {}
        for span in spans:
            longest_ms[span.resolution_s] = max(longest_ms.get(span.resolution_s, 0), span.seconds * 1000)
        wait_ms = {r: min(max(length, final_after_s * 1000), allowance_s * 1000) for r, length in longest_ms.items()}
        keep_ms = {resolution_s: length + wait_ms[resolution_s] for resolution_s, length in longest_ms.items()}
        return cls(allowance_s * 1000, future_s * 1000, keep_ms, wait_ms)

    @property
    def resolutions_s(self) -> tuple[int, ...]:
        """The pane widths in use, in seconds, finest first."""
        return tuple(sorted(self.keep_ms))

    @property
    def longest_window_ms(self) -> int:
        """The length of the longest window, in milliseconds."""
        return max(keep - self.wait_ms[resolution_s] for resolution_s, keep in self.keep_ms.items())

    def late_before(self, watermark_ms: int) -> int:
        """The event time (ms) before which an event is too late to count: the place where lateness is decided.

        The loop over a chunk asks for it when the watermark moves, not for every event.
        """
        return watermark_ms - self.allowance_ms

    def is_late(self, time_ms: int, watermark_ms: int) -> bool:
        """Whether an event is too late to count."""
        return time_ms < self.late_before(watermark_ms)

    @property
    def all_open_ms(self) -> int:
        """How far behind the watermark an event may lie while its panes of all resolutions are open for certain."""
        return min(self.keep_ms.values())

    def is_closed(self, start_ms: int, resolution_s: int, watermark_ms: int) -> bool:
        """Whether the pane that starts at `start_ms` can no longer change."""
        return start_ms + resolution_s * 1000 <= watermark_ms - self.keep_ms[resolution_s]
