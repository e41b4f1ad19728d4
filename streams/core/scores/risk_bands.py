"""Customers that came to be at high churn risk, or came out of it."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import BAND_CHANGE
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Score, Slots, Unit, rounded


class BandChanges(Score):
    """Changes of a customer's band into high (`into_high` 1) or out of it to a known one (0)."""

    unit: Unit = "count"
    derived = True
    at_end = True

    def __init__(self, name: str, code: int, into_high: int) -> None:
        self.name = name
        self.code = code
        self._into_high = into_high

    def slots(self, facts: RecordFields) -> Slots:
        """One for each change in this direction."""
        return ((0, 1),) if facts == (BAND_CHANGE, self._into_high) else ()

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """How many there were."""
        n = acc.get(0, 0)
        return rounded(n, None, n, {"changes": n}) if n else None
