"""Mean churn risk."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import ASSESSMENT
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Score, Slots, Unit, clamped, rounded
from streams.core.statistics.intervals import mean_interval

N, SUM, SQUARES, HIGH = range(4)
PPM = 1_000_000


class ChurnRisk(Score):
    """Mean risk of the assessed customers, each with their latest assessment; risks are in parts per million."""

    name = "churn_risk"
    unit: Unit = "ratio"
    code = 8
    source = ASSESSMENT
    derived = True
    at_end = True

    def slots(self, fields: RecordFields) -> Slots:
        """One customer, the risk, its square, and whether the band is high."""
        if fields[0] != ASSESSMENT:
            return ()
        _, risk_ppm, high, _ = fields
        return (N, 1), (SUM, risk_ppm), (SQUARES, risk_ppm * risk_ppm), (HIGH, high)

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Student's interval clamped to 0…1."""
        n = acc.get(N, 0)
        if not n:
            return None
        total = acc.get(SUM, 0)
        interval = mean_interval(total, acc.get(SQUARES, 0), n)
        ratios = None if interval is None else (interval[0] / PPM, interval[1] / PPM)
        counts = {"high": acc.get(HIGH, 0), "sum_ppm": total}
        return rounded(total / (n * PPM), clamped(ratios, 0.0, 1.0), n, counts)
