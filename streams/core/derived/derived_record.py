"""A derived record: what several records of a customer amount to, at the time of one of them."""

from typing import NamedTuple

from streams.core.events.fields import RecordFields

ALWAYS = 2**60
"""A delay (ms) longer than any."""


class DerivedRecord(NamedTuple):
    """Facts counted at `time` (ms) in the cells of `dims`, as long as nothing later changes that.

    What becomes of it is known by its delay: something `until` ms after `time` takes it away, something
    `after` ms after `time` brought it about. Panes of a resolution look only as far ahead as their
    windows can still be corrected (the wait, in ms): they count it when `after <= wait < until`. So a
    pane's contents depend on the records alone, not on when they came.
    """

    facts: RecordFields
    time: int
    dims: int
    after: int = 0
    until: int = ALWAYS

    def counts_within(self, wait: int) -> bool:
        """Whether panes that look ahead `wait` ms count it."""
        return self.after <= wait < self.until
