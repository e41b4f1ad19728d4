"""Abandonment."""

from collections.abc import Mapping

from streams.core.scores.base import Result, Slots, Unit, rounded
from streams.core.scores.calls import ABANDONED, MENU, CallFacts, CallScore, is_short_abandon
from streams.core.statistics.intervals import wilson

_SHORT = 3


class Abandonment(CallScore):
    """Share of the calls offered to the queue whose caller hung up before an agent answered.

    Short ones (within 5 s) are among them, and counted apart as well. One slot an outcome, and one for those.

    >>> Abandonment().result({0: 2, 1: 6, 3: 2})
    Result(value=0.8, lower=0.490162, upper=0.943318, n=10, counts={'abandoned': 8, 'short_abandoned': 2})
    """

    name = "abandonment"
    unit: Unit = "ratio"
    code = 11

    def of_call(self, call: CallFacts) -> Slots:
        """One in the slot of its outcome, where it joined the queue."""
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
