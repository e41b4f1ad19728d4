"""Response rate."""

from collections.abc import Mapping

from streams.core.events.record_fields import RecordFields
from streams.core.events.surveys import STATE, SURVEY
from streams.core.scores.base import Result, Score, Slots, Unit
from streams.core.scores.survey import ANSWERED, share_of_slots


class ResponseRate(Score):
    """Share of surveys sent that were answered; declined and ignored ones count as sent. One slot for each state."""

    name = "response_rate"
    unit: Unit = "ratio"
    code = 7
    source = SURVEY

    def slots(self, fields: RecordFields) -> Slots:
        """One in the slot of the state of the survey."""
        return ((fields[STATE], 1),) if fields[0] == SURVEY else ()

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval."""
        return share_of_slots(acc, (ANSWERED,), "answered")
