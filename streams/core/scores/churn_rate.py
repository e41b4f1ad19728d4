"""Customer churn: who left, of those who were there."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import JOINED, LEFT, MEMBERSHIP, NEWCOMER_LEFT
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Slots, StockScore, Unit, rounded
from streams.core.statistics.intervals import wilson


class ChurnRate(StockScore):
    """Customers active at the window's start who left within it, of all active at its start.

    Newcomers are in neither: who came within the window does not count, whether gone again or not. Of the
    rate m of 30 days a year's is `1 − (1 − m)¹²`.

    105 customers ever came and 3 left; within the window 5 came and 3 left, one of them a newcomer:

    >>> ChurnRate().result_at({0: 5, 1: 3, 2: 1}, {0: 105, 1: 3, 2: 1})
    Result(value=0.02, lower=0.005502, upper=0.070012, n=100, counts={'left': 2})
    """

    name = "churn_rate"
    unit: Unit = "ratio"
    code = 53
    derived = True
    at_end = True

    def slots(self, facts: RecordFields) -> Slots:
        """One in the slot of what befell."""
        return ((facts[1], 1),) if facts[0] == MEMBERSHIP else ()

    def result_at(self, acc: Mapping[int, int], level: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval; None where nobody was active at the start."""
        came, went = acc.get(JOINED, 0), acc.get(LEFT, 0)
        active = level.get(JOINED, 0) - level.get(LEFT, 0) - came + went
        if active <= 0:
            return None
        left = min(max(went - acc.get(NEWCOMER_LEFT, 0), 0), active)
        return rounded(left / active, wilson(left, active), active, {"left": left})
