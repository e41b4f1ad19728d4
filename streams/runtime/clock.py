"""The only place that reads a clock."""

import time


def now_ms() -> int:
    """Wall clock in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Seconds on a clock that never goes back, for durations."""
    return time.monotonic()
