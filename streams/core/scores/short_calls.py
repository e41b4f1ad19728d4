"""Short calls."""

from collections.abc import Mapping

from streams.core.events.record_fields import UNKNOWN
from streams.core.scores.base import Result, Slots, Unit
from streams.core.scores.calls import ANSWERED, CallFields, CallScore
from streams.core.scores.survey import share_of_slots

SHORT_MS = 10_000


class ShortCalls(CallScore):
    """Share of answered calls with less than 10 s of talk: agents may be hanging up. Slot 1 is short, slot 0 is not."""

    name = "short_calls"
    unit: Unit = "ratio"
    code = 16

    def call_slots(self, call: CallFields) -> Slots:
        """Whether the call was short; nothing if the talk time is unknown."""
        if call.outcome != ANSWERED or call.talk_ms == UNKNOWN:
            return ()
        return ((int(call.talk_ms < SHORT_MS), 1),)

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval."""
        return share_of_slots(acc, (1,), "short")
