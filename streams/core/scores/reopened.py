"""Reopened tickets."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import RESOLVED
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Slots, Unit
from streams.core.scores.survey import share_of
from streams.core.scores.tickets import CaseScore

_STAYED, _REOPENED = range(2)


class Reopened(CaseScore):
    """Share of solved tickets that were opened again, charged to when and by whom they were first solved.

    >>> Reopened().result({0: 2, 1: 8})
    Result(value=0.8, lower=0.490162, upper=0.943318, n=10, counts={'reopened': 8})
    """

    name = "reopened"
    unit: Unit = "ratio"
    code = 20

    def of_case(self, what: int, values: RecordFields) -> Slots:
        """Whether it stayed solved."""
        return ((values[2], 1),) if what == RESOLVED else ()

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval."""
        return share_of(acc, (_REOPENED,), "reopened")
