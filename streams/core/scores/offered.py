"""Calls offered to the queue."""

from collections.abc import Mapping

from streams.core.scores.base import Result, Slots, Unit
from streams.core.scores.calls import ABANDONED, ANSWERED, MENU, CallFields, CallScore, is_short_abandon

_SHORT = 3


class Offered(CallScore):
    """Number of calls offered to the queue: the answered and the abandoned ones.

    A caller who hung up in the menu was not offered to the queue. n includes these calls, the value does not. There is
    one slot for each outcome and one for calls abandoned within 5 s.

    >>> Offered().result({0: 90, 1: 8, 2: 20, 3: 2})
    Result(value=100.0, lower=None, upper=None, n=120, counts={'answered': 90, 'abandoned': 10, 'menu': 20, \
'short_abandoned': 2})
    """

    name = "offered"
    unit: Unit = "count"
    code = 10

    def call_slots(self, call: CallFields) -> Slots:
        """One in the slot of the outcome."""
        return ((_SHORT if is_short_abandon(call) else call.outcome, 1),)

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """A number of calls, without an interval."""
        n = sum(acc.values())
        if not n:
            return None
        short = acc.get(_SHORT, 0)
        counts = {
            "answered": acc.get(ANSWERED, 0),
            "abandoned": acc.get(ABANDONED, 0) + short,
            "menu": acc.get(MENU, 0),
            "short_abandoned": short,
        }
        return Result(float(counts["answered"] + counts["abandoned"]), None, None, n, counts)
