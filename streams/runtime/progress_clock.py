"""How long work has stood still although input was waiting for it."""

from collections.abc import Callable


class ProgressClock:
    """The time since one piece of work last made progress; the basis of health checks and of giving up.

    A worker without input makes no progress and is healthy, so waiting for input restarts the clock. Call
    `watch` regularly (every second or so) where input may be absent: without it, the first record after a
    quiet hour would look like a stall of an hour. `now_s` returns seconds on a clock that never goes back.

    >>> now_s = 100.0
    >>> clock = ProgressClock(lambda: now_s)
    >>> now_s = 130.0
    >>> clock.still_s
    30.0
    >>> clock.moved_to(7)
    >>> clock.still_s
    0.0
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._moved_at_s = now_s()
        self._position: int | None = None

    @property
    def still_s(self) -> float:
        """Seconds since the last progress, or since input was last absent."""
        return self._now_s() - self._moved_at_s

    def moved(self) -> None:
        """Note progress."""
        self._moved_at_s = self._now_s()

    def moved_to(self, position: int) -> None:
        """Note the position (an offset or a count) of the work: another one than last time is progress."""
        if position != self._position:
            self._position = position
            self.moved()

    def watch(self, input_waits: bool) -> None:
        """Note whether input waits now; standing still without input is no stall."""
        if not input_waits:
            self.moved()
