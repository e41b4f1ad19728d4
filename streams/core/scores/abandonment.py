"""Abandonment."""

from collections.abc import Mapping

from streams.core.scores.base import Result, Slots, Unit, rounded
from streams.core.scores.calls import ABANDONED, MENU, CallFields, CallScore, is_short_abandon
from streams.core.statistics.intervals import wilson

_SHORT = 3


class Abandonment(CallScore):
    """Share of the calls offered to the queue in which the caller hung up before an agent answered.

    Calls abandoned within 5 s are included, and also shown as a count of their own. There is one slot for each outcome
    and one for these short ones.

    >>> Abandonment().result({0: 2, 1: 6, 3: 2})
    Result(value=0.8, lower=0.490162, upper=0.943318, n=10, counts={'abandoned': 8, 'short_abandoned': 2})
    """

    name = "abandonment"
    unit: Unit = "ratio"
    code = 11

    def call_slots(self, call: CallFields) -> Slots:
        """One in the slot of its outcome; nothing if the call did not join the queue."""
        if call.outcome == MENU:
            return ()
        return ((_SHORT if is_short_abandon(call) else call.outcome, 1),)

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval."""
        n = sum(acc.values())
        if not n:
            return None
        short = acc.get(_SHORT, 0)
        abandoned = acc.get(ABANDONED, 0) + short
        return rounded(abandoned / n, wilson(abandoned, n), n, {"abandoned": abandoned, "short_abandoned": short})
