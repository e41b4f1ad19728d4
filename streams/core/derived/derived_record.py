"""A derived record: what several records of one customer amount to, at the time of one of them."""

from typing import NamedTuple

from streams.core.events.record_fields import RecordFields

FOREVER_MS = 2**60
"""A delay longer than any."""


class DerivedRecord(NamedTuple):
    """Fields counted at `time` (ms) in the cells of `dims`, as long as no later record changes that.

    A later record does so after a delay: one `until_ms` after `time` takes the derived record away, one `after_ms`
    after `time` has brought it about. Panes of a resolution look only as far ahead as their windows can still be
    corrected (`Lateness.wait_ms`), and count it when `after_ms <= wait_ms < until_ms`. A pane's content therefore
    depends on the records alone, not on the order in which they came.
    """

    fields: RecordFields
    time_ms: int
    dims: int
    after_ms: int = 0
    until_ms: int = FOREVER_MS

    def counts_within(self, wait_ms: int) -> bool:
        """Whether panes that look ahead `wait_ms` count it."""
        return self.after_ms <= wait_ms < self.until_ms
