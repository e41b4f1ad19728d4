"""Backlog."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import BACKLOG_FLOW
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Slots, StockScore, Unit
from streams.core.scores.tickets import TicketScore

_OPENED, _SOLVED = range(2)


class Backlog(TicketScore, StockScore):
    """Number of tickets open at the end of the window, of those whose opening was seen.

    n is the number of tickets opened and solved within the window. A reopened ticket counts as opened again.

    >>> Backlog().result_at({0: 5, 1: 7}, {0: 105, 1: 97})
    Result(value=8.0, lower=None, upper=None, n=12, counts={'opened': 5, 'solved': 7})
    """

    name = "backlog"
    unit: Unit = "count"
    code = 22

    def ticket_slots(self, milestone: int, values: RecordFields) -> Slots:
        """One in the slot of opened or of solved tickets."""
        if milestone != BACKLOG_FLOW:
            return ()
        return ((_OPENED if values[0] > 0 else _SOLVED, 1),)

    def result_at(self, acc: Mapping[int, int], stock_at_end: Mapping[int, int]) -> Result | None:
        """A number of tickets, without an interval; None if no ticket was ever seen."""
        if not stock_at_end:
            return None
        opened, solved = acc.get(_OPENED, 0), acc.get(_SOLVED, 0)
        still_open = stock_at_end.get(_OPENED, 0) - stock_at_end.get(_SOLVED, 0)
        return Result(float(still_open), None, None, opened + solved, {"opened": opened, "solved": solved})
