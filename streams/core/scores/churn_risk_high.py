"""Share of customers at high churn risk."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import ASSESSMENT
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Score, Slots, Unit
from streams.core.scores.survey import share_of_slots


class ChurnRiskHigh(Score):
    """Share of the assessed customers whose latest assessment is in band high; slot 1 is high, slot 0 any other."""

    name = "churn_risk_high"
    unit: Unit = "ratio"
    code = 9
    source = ASSESSMENT
    derived = True
    at_end = True

    def slots(self, fields: RecordFields) -> Slots:
        """One in the slot of the customer's band."""
        return ((fields[2], 1),) if fields[0] == ASSESSMENT else ()

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval."""
        return share_of_slots(acc, (1,), "high")
