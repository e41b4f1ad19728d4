"""Yearly revenue of customers at high churn risk."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import ASSESSMENT
from streams.core.events.record_fields import UNKNOWN, RecordFields
from streams.core.scores.base import Result, Score, Slots, Unit, rounded

_KNOWN, _HIGH, _CENTS = range(3)


class RevenueAtRisk(Score):
    """What the customers in band high are worth a year, in units of the reporting currency, where an account says.

    n counts all customers assessed whose value is known, so that 0 at n > 0 means that none of them is at high
    risk. Those at high risk whose value nobody knows are missing from it.

    >>> RevenueAtRisk().result({0: 3, 1: 2, 2: 150_050}).value
    1500.5
    """

    name = "revenue_at_risk"
    unit: Unit = "count"
    code = 52
    source = ASSESSMENT
    derived = True
    at_end = True

    def slots(self, facts: RecordFields) -> Slots:
        """One customer, and its value in cents where its band is high."""
        if facts[0] != ASSESSMENT or facts[3] == UNKNOWN:
            return ()
        _, _, high, cents = facts
        return ((_KNOWN, 1), (_HIGH, 1), (_CENTS, cents)) if high else ((_KNOWN, 1),)

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """The sum in currency units."""
        n = acc.get(_KNOWN, 0)
        if not n:
            return None
        cents = acc.get(_CENTS, 0)
        counts = {"high": acc.get(_HIGH, 0), "cents": cents}
        return rounded(cents / 100, None, n, counts)
