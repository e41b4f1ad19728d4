"""Customers newly at high churn risk, and customers recovered from it."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import BAND_CHANGE
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Score, Slots, Unit, rounded


class BandChanges(Score):
    """Number of changes of a customer's band to high (`into_high` 1), or from high to another known band (0)."""

    unit: Unit = "count"
    derived = True
    at_end = True

    def __init__(self, name: str, code: int, into_high: int) -> None:
        self.name = name
        self.code = code
        self._into_high = into_high

    def slots(self, fields: RecordFields) -> Slots:
        """One for a change in this direction."""
        return ((0, 1),) if fields == (BAND_CHANGE, self._into_high) else ()

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """A number of changes, without an interval."""
        n = acc.get(0, 0)
        return rounded(n, None, n, {"changes": n}) if n else None
