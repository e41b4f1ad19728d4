"""Average speed of answer."""

from collections.abc import Mapping

from streams.core.events.record_fields import UNKNOWN
from streams.core.scores.base import Result, Slots, Unit
from streams.core.scores.calls import ANSWERED, CallFields, CallScore
from streams.core.scores.durations import duration_slots, mean_duration

_SUM_MS = 0


class SpeedOfAnswer(CallScore):
    """Average speed of answer (ASA): the mean wait of answered calls. A call without a wait counts with 0."""

    name = "speed_of_answer"
    unit: Unit = "seconds"
    code = 12

    def call_slots(self, call: CallFields) -> Slots:
        """The wait; nothing if the call was not answered or the wait is unknown."""
        if call.outcome != ANSWERED or call.wait_ms == UNKNOWN:
            return ()
        return (_SUM_MS, call.wait_ms), *duration_slots(call.wait_ms)

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """In seconds, with Student's interval."""
        total_ms = acc.get(_SUM_MS, 0)
        return mean_duration(acc, total_ms, {"wait_ms": total_ms})
