"""The ranges of time whose sums slide together: every window, and the time right before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.core.time.lateness import Lateness
from streams.core.time.spans import Span


@dataclass(frozen=True)
class WindowRange:
    """A window, or the time right before it (its previous window).

    Both offsets are milliseconds before the end of the windows, so a range slides without being changed:

        start_offset_ms   start_offset_ms
        of the previous   of the window     end of the windows
               |-- previous --|---- window ----|
                              ^ end_offset_ms  ^ end_offset_ms
                                of the previous  of the window, 0

    `sum_index` is the position of its sum in `CellState.sums`, `window_index` the window that it is or precedes.
    """

    sum_index: int
    window_index: int
    start_offset_ms: int
    end_offset_ms: int

    @property
    def is_previous_window(self) -> bool:
        """Whether it is the time before a window."""
        return self.end_offset_ms > 0


def window_ranges(spans: Sequence[Span], lateness: Lateness) -> dict[int, tuple[WindowRange, ...]]:
    """All ranges by resolution (s).

    The previous window is as long as the window, but no longer than the wait, since older panes may already be closed.
    A longer one was rejected: closed panes are deleted from the topic, so results would depend on restarts.
    """
    ranges: dict[int, tuple[WindowRange, ...]] = dict.fromkeys(lateness.resolutions_s, ())
    for index, span in enumerate(spans):
        length_ms, pane_ms = span.seconds * 1000, span.resolution_s * 1000
        previous_ms = min(length_ms, lateness.wait_ms[span.resolution_s] // pane_ms * pane_ms)
        window = WindowRange(index, index, length_ms, 0)
        previous = WindowRange(len(spans) + index, index, length_ms + previous_ms, length_ms)
        ranges[span.resolution_s] += (window, previous)
    return ranges
