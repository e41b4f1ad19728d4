"""Customer churn rate."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import JOINED, LEFT, MEMBERSHIP, NEWCOMER_LEFT
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Slots, StockScore, Unit, rounded
from streams.core.statistics.intervals import wilson


class ChurnRate(StockScore):
    """Share of the customers active at the start of the window who left within it.

    A customer who joined within the window counts in neither number, even if they left again. From the rate m of 30
    days the rate of a year is `1 − (1 − m)¹²`.

    Since the beginning 105 customers have joined and 3 left. Of these, 5 joined and 3 left within the window, and one
    of the 3 is a newcomer:

    >>> ChurnRate().result_at({0: 5, 1: 3, 2: 1}, {0: 105, 1: 3, 2: 1})
    Result(value=0.02, lower=0.005502, upper=0.070012, n=100, counts={'left': 2})
    """

    name = "churn_rate"
    unit: Unit = "ratio"
    code = 53
    derived = True
    at_end = True

    def slots(self, fields: RecordFields) -> Slots:
        """One in the slot of the change of membership."""
        return ((fields[1], 1),) if fields[0] == MEMBERSHIP else ()

    def result_at(self, acc: Mapping[int, int], stock_at_end: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval; None if no customer was active at the start."""
        joined, left = acc.get(JOINED, 0), acc.get(LEFT, 0)
        active = stock_at_end.get(JOINED, 0) - stock_at_end.get(LEFT, 0) - joined + left
        if active <= 0:
            return None
        leavers = min(max(left - acc.get(NEWCOMER_LEFT, 0), 0), active)
        return rounded(leavers / active, wilson(leavers, active), active, {"left": leavers})
