"""The stretches of time that slide together: every window, and the time before it."""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.core.time.lateness import Lateness
from streams.core.time.panes import Span


@dataclass(frozen=True)
class Stretch:
    """From `first` to `last` (ms) before the end of the windows made of its panes.

    `number` says which of a cell's accumulators is its own, `window` which window it is or precedes.
    """

    number: int
    window: int
    first: int
    last: int

    @property
    def is_before(self) -> bool:
        """Whether it is the time before a window."""
        return self.last > 0


def stretches_of(spans: Sequence[Span], lateness: Lateness) -> dict[int, tuple[Stretch, ...]]:
    """All stretches by resolution (s).

    The time before a window is as long as the window, but no longer than the wait, since older panes may
    already be closed.
    """
    found: dict[int, tuple[Stretch, ...]] = dict.fromkeys(lateness.resolutions, ())
    for index, span in enumerate(spans):
        length, width = span.seconds * 1000, span.resolution * 1000
        back = min(length, lateness.wait[span.resolution] // width * width)
        window = Stretch(index, index, length, 0)
        found[span.resolution] += (window, Stretch(len(spans) + index, index, length + back, length))
    return found
