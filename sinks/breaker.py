"""How long to wait before a store that failed is tried again."""

from collections.abc import Callable

from sinks.errors import SinkUnavailable


class Breaker:
    """Doubles the pause with each failure in a row, up to a bound, and refuses calls during the pause.

    `now_s` is a monotonic clock in seconds.
    """

    def __init__(self, now_s: Callable[[], float], first_s: float = 0.5, longest_s: float = 15.0) -> None:
        self._now_s, self._first_s, self._longest_s = now_s, first_s, longest_s
        self._pause_s = 0.0
        self._until_s = 0.0
        self._reason = ""

    @property
    def remaining_s(self) -> float:
        """Seconds until the next attempt is allowed; 0 when it is."""
        return max(0.0, self._until_s - self._now_s())

    def check(self) -> None:
        """Raise `SinkUnavailable` with the last reason while the pause lasts."""
        if self.remaining_s:
            raise SinkUnavailable(self._reason, self.remaining_s)

    def failed(self, reason: str) -> SinkUnavailable:
        """Start the next pause; returns the error to raise."""
        self._pause_s = min(self._longest_s, 2 * self._pause_s or self._first_s)
        self._until_s = self._now_s() + self._pause_s
        self._reason = reason
        return SinkUnavailable(reason, self._pause_s)

    def succeeded(self) -> None:
        """End the pause and start again at the first one."""
        self._pause_s = self._until_s = 0.0
