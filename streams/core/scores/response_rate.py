"""Response rate."""

from collections.abc import Mapping

from streams.core.events.record_fields import RecordFields
from streams.core.events.surveys import SURVEY
from streams.core.scores.base import Result, Score, Slots, Unit
from streams.core.scores.survey import ANSWERED, share_of


class ResponseRate(Score):
    """Answered surveys of all surveys sent: declined and ignored ones count as sent. One slot a state."""

    name = "response_rate"
    unit: Unit = "ratio"
    code = 7
    source = SURVEY

    def slots(self, facts: RecordFields) -> Slots:
        """One in the slot of the survey's state."""
        return ((facts[2], 1),) if facts[0] == SURVEY else ()

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval."""
        return share_of(acc, (ANSWERED,), "answered")
