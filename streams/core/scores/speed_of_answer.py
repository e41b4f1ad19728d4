"""Average speed of answer."""

from collections.abc import Mapping

from streams.core.events.record_fields import UNKNOWN
from streams.core.scores.base import Result, Slots, Unit
from streams.core.scores.calls import ANSWERED, CallFacts, CallScore
from streams.core.scores.durations import mean_of, slots_of

_SUM = 0


class SpeedOfAnswer(CallScore):
    """Mean wait of answered calls (ASA); who did not wait at all counts with 0."""

    name = "speed_of_answer"
    unit: Unit = "seconds"
    code = 12

    def of_call(self, call: CallFacts) -> Slots:
        """Its wait, where it was answered and the wait is known."""
        if call.outcome != ANSWERED or call.wait == UNKNOWN:
            return ()
        return (_SUM, call.wait), *slots_of(call.wait)

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """In seconds, with Student's interval."""
        total = acc.get(_SUM, 0)
        return mean_of(acc, total, {"wait_ms": total})
