"""Calls hardly talked on."""

from collections.abc import Mapping

from streams.core.events.record_fields import UNKNOWN
from streams.core.scores.base import Result, Slots, Unit
from streams.core.scores.calls import ANSWERED, CallFacts, CallScore
from streams.core.scores.survey import share_of

SHORT_MS = 10_000


class ShortCalls(CallScore):
    """Share of answered calls talked on for less than 10 s: agents may be hanging up. Slot 1 is short, slot 0 not."""

    name = "short_calls"
    unit: Unit = "ratio"
    code = 16

    def of_call(self, call: CallFacts) -> Slots:
        """Whether it was short, where its talk time is known."""
        if call.outcome != ANSWERED or call.talk == UNKNOWN:
            return ()
        return ((int(call.talk < SHORT_MS), 1),)

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval."""
        return share_of(acc, (1,), "short")
