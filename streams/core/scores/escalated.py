"""Escalated tickets."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import OPENED, REASSIGNED
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Slots, Unit, rounded
from streams.core.scores.tickets import TicketScore
from streams.core.statistics.intervals import wilson

_NOT, _ESCALATED, _REASSIGNED = range(3)


class Escalated(TicketScore):
    """Share of opened tickets that were escalated, counted at the time and in the cell of the opening.

    Reassignments are counted as well, when they happen.

    >>> Escalated().result({0: 2, 1: 8, 2: 5})
    Result(value=0.8, lower=0.490162, upper=0.943318, n=10, counts={'escalated': 8, 'reassigned': 5})
    """

    name = "escalated"
    unit: Unit = "ratio"
    code = 21

    def ticket_slots(self, milestone: int, values: RecordFields) -> Slots:
        """Whether the ticket was escalated, or how often it was reassigned."""
        if milestone == OPENED:
            return ((values[0], 1),)
        return ((_REASSIGNED, values[0]),) if milestone == REASSIGNED else ()

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval; None if no ticket was opened."""
        escalated = acc.get(_ESCALATED, 0)
        n = escalated + acc.get(_NOT, 0)
        if not n:
            return None
        counts = {"escalated": escalated, "reassigned": acc.get(_REASSIGNED, 0)}
        return rounded(escalated / n, wilson(escalated, n), n, counts)
