"""Yearly revenue of customers at high churn risk."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import ASSESSMENT
from streams.core.events.record_fields import UNKNOWN, RecordFields
from streams.core.scores.base import Result, Score, Slots, Unit, rounded

_KNOWN, _HIGH, _CENTS = range(3)


class RevenueAtRisk(Score):
    """Yearly revenue of the customers in band high, in units of the reporting currency, as far as accounts state it.

    n is the number of assessed customers with a known value, so a value of 0 with n > 0 means that none of them is at
    high risk. Customers at high risk with an unknown value are not included.

    >>> RevenueAtRisk().result({0: 3, 1: 2, 2: 150_050}).value
    1500.5
    """

    name = "revenue_at_risk"
    unit: Unit = "count"
    code = 52
    source = ASSESSMENT
    derived = True
    at_end = True

    def slots(self, fields: RecordFields) -> Slots:
        """One customer, and their value in cents if the band is high."""
        if fields[0] != ASSESSMENT or fields[3] == UNKNOWN:
            return ()
        _, _, high, cents = fields
        return ((_KNOWN, 1), (_HIGH, 1), (_CENTS, cents)) if high else ((_KNOWN, 1),)

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """The sum in currency units."""
        n = acc.get(_KNOWN, 0)
        if not n:
            return None
        cents = acc.get(_CENTS, 0)
        counts = {"high": acc.get(_HIGH, 0), "cents": cents}
        return rounded(cents / 100, None, n, counts)
