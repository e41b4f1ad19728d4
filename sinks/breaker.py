"""How long to leave a database alone that did not answer."""

from collections.abc import Callable

from sinks.errors import SinkUnavailable


class Breaker:
    """Doubles the pause with each failure in a row, up to a bound, and refuses calls during it; seconds."""

    def __init__(self, clock: Callable[[], float], first: float = 0.5, longest: float = 15.0) -> None:
        self._clock, self._first, self._longest = clock, first, longest
        self._pause = 0.0
        self._until = 0.0
        self._reason = ""

    @property
    def remaining(self) -> float:
        """Seconds until the next attempt is allowed; 0 when it is."""
        return max(0.0, self._until - self._clock())

    def check(self) -> None:
        """Raise `SinkUnavailable`, with the last reason, while the pause lasts."""
        if self.remaining:
            raise SinkUnavailable(self._reason, self.remaining)

    def failed(self, reason: str) -> SinkUnavailable:
        """Start the next pause; returns the error to raise."""
        self._pause = min(self._longest, 2 * self._pause or self._first)
        self._until = self._clock() + self._pause
        self._reason = reason
        return SinkUnavailable(reason, self._pause)

    def succeeded(self) -> None:
        """Forget the failures."""
        self._pause = self._until = 0.0
