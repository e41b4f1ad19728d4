"""When an event is too early, too late, or too late for some panes: one source partition at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.core.time.panes import Span

NO_WATERMARK_MS = -(2**60)
"""A watermark before any event, in milliseconds."""

EARLIEST_MS = -2_208_988_800_000
"""1900-01-01 in milliseconds; nothing older is believed."""


@dataclass(frozen=True)
class Lateness:
    """The bounds, in milliseconds.

    `wait` gives for each resolution how long after its end a window of a replay may still be
    corrected: as long as the longest window made of these panes, or as `final_after` says if that is
    more, but no longer than the allowance. `keep` is how far behind the watermark a pane stays open
    for that: the wait and the longest window together.
    """

    allowance_ms: int
    future_ms: int
    keep_ms: dict[int, int]
    wait_ms: dict[int, int]

    @classmethod
    def of(cls, spans: Sequence[Span], allowance: int, future: int, final_after: int = 0) -> "Lateness":
        """Bounds for these windows; `allowance`, `future` and `final_after` in seconds."""
        longest: dict[int, int] = {}
        for span in spans:
            longest[span.resolution_s] = max(longest.get(span.resolution_s, 0), span.seconds * 1000)
        wait = {r: min(max(length, final_after * 1000), allowance * 1000) for r, length in longest.items()}
        keep = {resolution: length + wait[resolution] for resolution, length in longest.items()}
        return cls(allowance * 1000, future * 1000, keep, wait)

    @property
    def resolutions_s(self) -> tuple[int, ...]:
        """The pane widths in use, in seconds, finest first."""
        return tuple(sorted(self.keep_ms))

    @property
    def longest_window_ms(self) -> int:
        """The longest window, in milliseconds."""
        return max(keep - self.wait_ms[resolution] for resolution, keep in self.keep_ms.items())

    def is_late(self, time: int, watermark: int) -> bool:
        """Whether an event is too late to count: the place where a late event is decided."""
        return time < watermark - self.allowance_ms

    def is_closed(self, start: int, resolution: int, watermark: int) -> bool:
        """Whether a pane (start in ms, resolution in s) can no longer change."""
        return start + resolution * 1000 <= watermark - self.keep_ms[resolution]
