"""The stretches of time that slide together: every window, and the time before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.core.time.lateness import Lateness
from streams.core.time.spans import Span


@dataclass(frozen=True)
class WindowRange:
    """From `first` to `last` (ms) before the end of the windows made of its panes.

    `number` says which of a cell's accumulators is its own, `window` which window it is or precedes.
    """

    number: int
    window: int
    first: int
    last: int

    @property
    def is_previous_window(self) -> bool:
        """Whether it is the time before a window."""
        return self.last > 0


def window_ranges(spans: Sequence[Span], lateness: Lateness) -> dict[int, tuple[WindowRange, ...]]:
    """All stretches by resolution (s).

    The time before a window is as long as the window, but no longer than the wait, since older panes may
    already be closed.
    """
    found: dict[int, tuple[WindowRange, ...]] = dict.fromkeys(lateness.resolutions_s, ())
    for index, span in enumerate(spans):
        length, width = span.seconds * 1000, span.resolution_s * 1000
        back = min(length, lateness.wait_ms[span.resolution_s] // width * width)
        window = WindowRange(index, index, length, 0)
        found[span.resolution_s] += (window, WindowRange(len(spans) + index, index, length + back, length))
    return found
