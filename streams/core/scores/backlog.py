"""Backlog."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import BACKLOG_FLOW
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Slots, StockScore, Unit
from streams.core.scores.tickets import CaseScore

_CAME, _WENT = range(2)


class Backlog(CaseScore, StockScore):
    """Tickets open at the end of the window, as far as their opening was seen; opened and solved ones beside it.

    n is how many tickets came and went within the window; a reopened ticket comes again.

    >>> Backlog().result_at({0: 5, 1: 7}, {0: 105, 1: 97})
    Result(value=8.0, lower=None, upper=None, n=12, counts={'opened': 5, 'solved': 7})
    """

    name = "backlog"
    unit: Unit = "count"
    code = 22

    def of_case(self, what: int, values: RecordFields) -> Slots:
        """Whether it came or went."""
        if what != BACKLOG_FLOW:
            return ()
        return ((_CAME if values[0] > 0 else _WENT, 1),)

    def result_at(self, acc: Mapping[int, int], level: Mapping[int, int]) -> Result | None:
        """A number of tickets, which has no interval."""
        if not level:
            return None
        came, went = acc.get(_CAME, 0), acc.get(_WENT, 0)
        still_open = level.get(_CAME, 0) - level.get(_WENT, 0)
        return Result(float(still_open), None, None, came + went, {"opened": came, "solved": went})
