"""What a sink worker has read and not stored, and since when: the basis of its metrics and health checks."""

from collections.abc import Callable, Mapping

from sinks.sink import Sink
from streams.runtime.clock import monotonic, now_ms
from streams.runtime.progress_clock import ProgressClock

_NEVER_MS = 2**62


class SinkProgress:
    """Follows one sink through reading and flushing. Call `watch` every second or so.

    `lag_by_topic` returns the records that are not read yet.
    """

    def __init__(self, sink: Sink, lag_by_topic: Callable[[], Mapping[str, int]], stalled_after_s: int) -> None:
        self.warm = False
        self.pending_records = 0
        self._sink, self._lag_by_topic, self._stalled_after_s = sink, lag_by_topic, stalled_after_s
        self._reading, self._writing, self._flushing = (ProgressClock(monotonic) for _ in range(3))
        self._flush_runs = False
        self._oldest_ms = self._oldest_in_flush_ms = _NEVER_MS

    def read(self, records: int, first_timestamp_ms: int) -> None:
        """Note records that were read; a negative timestamp is one that the broker does not know."""
        self.pending_records += records
        self._oldest_ms = min(self._oldest_ms, first_timestamp_ms if first_timestamp_ms >= 0 else now_ms())
        self._reading.moved()

    def flush_began(self) -> None:
        """Note that everything read so far is being stored."""
        self.pending_records = 0
        self._oldest_in_flush_ms, self._oldest_ms = self._oldest_ms, _NEVER_MS
        self._flush_runs = True
        self._writing.moved()

    def flush_ended(self) -> None:
        """Note that it is stored."""
        self._oldest_in_flush_ms = _NEVER_MS
        self._flush_runs = False
        self._flushing.moved()
        self._reading.moved()

    def store_refused(self) -> None:
        """Note that the store is unavailable: waiting for it is no stall, and a restart would not help."""
        self._writing.moved()
        self._reading.moved()

    def watch(self) -> None:
        """Note what waits now."""
        self._reading.watch(any(self._lag_by_topic().values()))
        self._flushing.watch(self.pending_records > 0 or self._flush_runs)
        self._writing.moved_to(self._sink.writes)

    def age_s(self) -> float:
        """Seconds since the oldest record that was read and is not stored came to its topic; 0 without one."""
        oldest_ms = min(self._oldest_ms, self._oldest_in_flush_ms)
        return 0.0 if oldest_ms == _NEVER_MS else max(0, now_ms() - oldest_ms) / 1000

    def unhealthy(self) -> str | None:
        """Why this worker should be restarted, if it should."""
        self._writing.moved_to(self._sink.writes)
        if self._flush_runs:
            still_s, problem = self._writing.still_s, f"{self._sink.name} has neither stored nor refused anything"
        elif any(self._lag_by_topic().values()):
            still_s, problem = self._reading.still_s, "none has been read"
        else:
            return None
        return f"records wait, and for {still_s:.0f} s {problem}" if still_s > self._stalled_after_s else None

    def unready(self) -> str | None:
        """Why nothing is being stored, if nothing is."""
        if not self.warm:
            return f"connecting to {self._sink.name}"
        still_s = self._flushing.still_s
        waiting = self.pending_records and still_s > self._stalled_after_s
        return f"nothing stored for {still_s:.0f} s while {self.pending_records} records wait" if waiting else None
