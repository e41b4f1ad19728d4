"""Average handle time."""

from collections.abc import Mapping

from streams.core.facts import UNKNOWN
from streams.core.scores.base import Result, Slots, Unit
from streams.core.scores.calls import ANSWERED, CallFacts, CallScore
from streams.core.scores.durations import mean_of, slots_of

PARTS = _TALK, _HOLD, _AFTER_CALL = range(3)
"""Slots of the sums (ms) of the three parts."""


class HandleTime(CallScore):
    """Mean of talk, hold and after-call work together (AHT) of answered calls.

    Without a known talk time a call is left out; a hold or after-call work that is not known counts as none.
    """

    name = "handle_time"
    unit: Unit = "seconds"
    code = 14

    def of_call(self, call: CallFacts) -> Slots:
        """Its three parts, and their sum's square and bucket."""
        if call.outcome != ANSWERED or call.talk == UNKNOWN:
            return ()
        hold, after_call = max(call.hold, 0), max(call.after_call, 0)
        slots = ((_TALK, call.talk), *slots_of(call.talk + hold + after_call))
        if hold:
            slots += ((_HOLD, hold),)
        if after_call:
            slots += ((_AFTER_CALL, after_call),)
        return slots

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """In seconds, with Student's interval; the sums of the three parts are in the counts."""
        talk, hold, after_call = (acc.get(slot, 0) for slot in PARTS)
        sums = {"talk_ms": talk, "hold_ms": hold, "after_call_ms": after_call}
        return mean_of(acc, talk + hold + after_call, sums)
