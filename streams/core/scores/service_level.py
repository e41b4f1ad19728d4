"""Service level."""

from collections.abc import Mapping

from streams.core.events.record_fields import UNKNOWN
from streams.core.scores.base import Result, Slots, Unit, rounded
from streams.core.scores.calls import ANSWERED, MENU, CallFacts, CallScore
from streams.core.statistics.intervals import wilson

THRESHOLD_MS = 20_000
_WITHIN, _LATER, _ABANDONED_AFTER = range(3)


class ServiceLevel(CallScore):
    """`answered within 20 s / (answered + abandoned after 20 s)`, one of the five forms in use.

    Who hangs up within 20 s could still have been served in time, and counts nowhere.

    >>> ServiceLevel().result({0: 860, 1: 140, 2: 40}).value
    0.826923
    """

    name = "service_level"
    unit: Unit = "ratio"
    code = 13

    def of_call(self, call: CallFacts) -> Slots:
        """One for how it ended and when, where that is known."""
        if call.outcome == MENU or call.wait == UNKNOWN:
            return ()
        within = call.wait <= THRESHOLD_MS
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
