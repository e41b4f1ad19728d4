"""Autonomy of the front line: tickets solved without help from above."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import GRANTED, RESOLVED
from streams.core.events.record_fields import UNKNOWN, RecordFields
from streams.core.events.tickets import TICKET_CHANGES
from streams.core.scores.base import Result, Slots, Unit, rounded
from streams.core.scores.tickets import TicketScore
from streams.core.statistics.intervals import wilson

_ALONE, _ESCALATED, _APPROVED, _BOTH, _REFUNDED, _REPLACED, _CENTS, _APPROVAL_UNKNOWN = range(8)
_REFUND = TICKET_CHANGES.index("refunded")


class Autonomy(TicketScore):
    """Share of tickets solved without escalation or approval, counted when they are first solved.

    A ticket with an unknown approval counts as solved without one. The number of such tickets is among the counts: if
    it equals n, the source does not report approvals. Granted refunds and replacements are counted as well, with their
    amount in cents.

    >>> Autonomy().result({0: 8, 1: 1, 2: 1, 4: 1, 6: 1_999, 7: 3})
    Result(value=0.8, lower=0.490162, upper=0.943318, n=10, counts={'autonomous': 8, 'escalated': 1, 'approved': 1, \
'approval_unknown': 3, 'refunded': 1, 'replaced': 0, 'granted_cents': 1999})
    """

    name = "autonomy"
    unit: Unit = "ratio"
    code = 23

    def ticket_slots(self, milestone: int, values: RecordFields) -> Slots:
        """How the ticket was solved, or what was granted."""
        if milestone == RESOLVED:
            solved = ((values[0] + 2 * values[1], 1),)
            return (*solved, (_APPROVAL_UNKNOWN, 1)) if values[3] else solved
        if milestone != GRANTED:
            return ()
        granted = ((_REFUNDED if values[0] == _REFUND else _REPLACED, 1),)
        return granted if values[1] in (0, UNKNOWN) else (*granted, (_CENTS, values[1]))

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval; None if no ticket was solved."""
        alone, escalated, approved, both = (acc.get(slot, 0) for slot in (_ALONE, _ESCALATED, _APPROVED, _BOTH))
        n = alone + escalated + approved + both
        if not n:
            return None
        counts = {
            "autonomous": alone,
            "escalated": escalated + both,
            "approved": approved + both,
            "approval_unknown": acc.get(_APPROVAL_UNKNOWN, 0),
            "refunded": acc.get(_REFUNDED, 0),
            "replaced": acc.get(_REPLACED, 0),
            "granted_cents": acc.get(_CENTS, 0),
        }
        return rounded(alone / n, wilson(alone, n), n, counts)
