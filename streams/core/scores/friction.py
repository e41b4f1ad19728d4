"""Friction in points of NPS."""

import math
from collections.abc import Mapping

from streams.core.scores.base import Result, Unit, clamped, rounded
from streams.core.scores.nps import Nps
from streams.core.scores.touchpoints import FrictionScore
from streams.core.statistics.intervals import adjusted_nps
from streams.core.statistics.quantiles import Z95


class Friction(FrictionScore):
    """By how many points a touchpoint holds down the total transactional NPS.

    >>> own, others = {10: 10, 7: 20, 0: 20}, {10: 30, 7: 10, 0: 10}
    >>> Friction().against(own, others, 0.5).value  # 50/100 of 40 − (−20)
    30.0
    """

    name = "friction"
    unit: Unit = "points"
    code = 40
    reads = (Nps("nps", 1, "transactional"),)

    def against(self, own: Mapping[int, int], others: Mapping[int, int], share: float) -> Result:
        """With an interval from the adjusted answers of either side, which are independent."""
        mine, theirs = _sides(own), _sides(others)
        value = 100 * share * ((theirs[0] - theirs[1]) / theirs[2] - (mine[0] - mine[1]) / mine[2])
        (level, error), (peers, peer_error) = adjusted_nps(*mine), adjusted_nps(*theirs)
        middle, half = share * (peers - level), Z95 * share * math.hypot(error, peer_error)
        counts = {
            "promoters": mine[0],
            "detractors": mine[1],
            "others": theirs[2],
            "others_promoters": theirs[0],
            "others_detractors": theirs[1],
        }
        return rounded(value, clamped((middle - half, middle + half), -200 * share, 200 * share), mine[2], counts)


def _sides(answers: Mapping[int, int]) -> tuple[int, int, int]:
    promoters = answers.get(9, 0) + answers.get(10, 0)
    return promoters, sum(answers.get(answer, 0) for answer in range(7)), sum(answers.values())
