"""Service level."""

from collections.abc import Mapping

from streams.core.events.record_fields import UNKNOWN
from streams.core.scores.base import Result, Slots, Unit, rounded
from streams.core.scores.calls import ANSWERED, MENU, CallFields, CallScore
from streams.core.statistics.intervals import wilson

THRESHOLD_MS = 20_000
_WITHIN, _LATER, _ABANDONED_AFTER = range(3)


class ServiceLevel(CallScore):
    """`answered within 20 s / (answered + abandoned after 20 s)`, one of the five forms in use.

    A caller who hangs up within 20 s could still have been answered in time; such a call does not count.

    >>> ServiceLevel().result({0: 860, 1: 140, 2: 40}).value
    0.826923
    """

    name = "service_level"
    unit: Unit = "ratio"
    code = 13

    def call_slots(self, call: CallFields) -> Slots:
        """One in the slot of the outcome and its time; nothing if the wait is unknown."""
        if call.outcome == MENU or call.wait_ms == UNKNOWN:
            return ()
        within = call.wait_ms <= THRESHOLD_MS
        if call.outcome == ANSWERED:
            return ((_WITHIN if within else _LATER, 1),)
        return () if within else ((_ABANDONED_AFTER, 1),)

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval."""
        n = sum(acc.values())
        if not n:
            return None
        within, after = acc.get(_WITHIN, 0), acc.get(_ABANDONED_AFTER, 0)
        counts = {"answered_within": within, "answered": within + acc.get(_LATER, 0), "abandoned_after": after}
        return rounded(within / n, wilson(within, n), n, counts)
