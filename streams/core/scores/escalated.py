"""Escalated tickets."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import OPENED, REASSIGNED
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Slots, Unit, rounded
from streams.core.scores.tickets import CaseScore
from streams.core.statistics.intervals import wilson

_NOT, _ESCALATED, _REASSIGNED = range(3)


class Escalated(CaseScore):
    """Share of opened tickets that were escalated, charged to when and where they were opened.

    Reassignments are counted beside it, when they happened.

    >>> Escalated().result({0: 2, 1: 8, 2: 5})
    Result(value=0.8, lower=0.490162, upper=0.943318, n=10, counts={'escalated': 8, 'reassigned': 5})
    """

    name = "escalated"
    unit: Unit = "ratio"
    code = 21

    def of_case(self, what: int, values: RecordFields) -> Slots:
        """Whether it was escalated, or how often it was handed on."""
        if what == OPENED:
            return ((values[0], 1),)
        return ((_REASSIGNED, values[0]),) if what == REASSIGNED else ()

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval; None where no ticket was opened."""
        escalated = acc.get(_ESCALATED, 0)
        n = escalated + acc.get(_NOT, 0)
        if not n:
            return None
        counts = {"escalated": escalated, "reassigned": acc.get(_REASSIGNED, 0)}
        return rounded(escalated / n, wilson(escalated, n), n, counts)
