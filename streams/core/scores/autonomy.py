"""Autonomy of the front line."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import GRANTED, RESOLVED
from streams.core.events.record_fields import UNKNOWN, RecordFields
from streams.core.events.tickets import TICKET_CHANGES
from streams.core.scores.base import Result, Slots, Unit, rounded
from streams.core.scores.tickets import CaseScore
from streams.core.statistics.intervals import wilson

_ALONE, _ESCALATED, _APPROVED, _BOTH, _REFUNDED, _REPLACED, _CENTS, _UNTOLD = range(8)
_REFUND = TICKET_CHANGES.index("refunded")


class Autonomy(CaseScore):
    """Share of tickets solved without escalation or approval, when they were first solved.

    A ticket nobody says an approval of counts as solved without; how many there are is among the counts, since
    where all are, the source does not tell. Refunds and replacements granted are counted as well, with their
    amount in cents.

    >>> Autonomy().result({0: 8, 1: 1, 2: 1, 4: 1, 6: 1_999, 7: 3})
    Result(value=0.8, lower=0.490162, upper=0.943318, n=10, counts={'autonomous': 8, 'escalated': 1, 'approved': 1, \
'approval_unknown': 3, 'refunded': 1, 'replaced': 0, 'granted_cents': 1999})
    """

    name = "autonomy"
    unit: Unit = "ratio"
    code = 23

    def of_case(self, what: int, values: RecordFields) -> Slots:
        """Whose decision solved it, or what was granted."""
        if what == RESOLVED:
            decided = ((values[0] + 2 * values[1], 1),)
            return (*decided, (_UNTOLD, 1)) if values[3] else decided
        if what != GRANTED:
            return ()
        granted = ((_REFUNDED if values[0] == _REFUND else _REPLACED, 1),)
        return granted if values[1] in (0, UNKNOWN) else (*granted, (_CENTS, values[1]))

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval; None where no ticket was solved."""
        alone, escalated, approved, both = (acc.get(slot, 0) for slot in (_ALONE, _ESCALATED, _APPROVED, _BOTH))
        n = alone + escalated + approved + both
        if not n:
            return None
        counts = {
            "autonomous": alone,
            "escalated": escalated + both,
            "approved": approved + both,
            "approval_unknown": acc.get(_UNTOLD, 0),
            "refunded": acc.get(_REFUNDED, 0),
            "replaced": acc.get(_REPLACED, 0),
            "granted_cents": acc.get(_CENTS, 0),
        }
        return rounded(alone / n, wilson(alone, n), n, counts)
