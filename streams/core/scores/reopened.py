"""Reopened tickets."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import RESOLVED
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Slots, Unit
from streams.core.scores.survey import share_of_slots
from streams.core.scores.tickets import TicketScore

_REOPENED = 1


class Reopened(TicketScore):
    """Share of solved tickets that were reopened, counted at the time and in the cell of the first solution.

    >>> Reopened().result({0: 2, 1: 8})
    Result(value=0.8, lower=0.490162, upper=0.943318, n=10, counts={'reopened': 8})
    """

    name = "reopened"
    unit: Unit = "ratio"
    code = 20

    def ticket_slots(self, milestone: int, values: RecordFields) -> Slots:
        """Whether the ticket was reopened."""
        return ((values[2], 1),) if milestone == RESOLVED else ()

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval."""
        return share_of_slots(acc, (_REOPENED,), "reopened")
