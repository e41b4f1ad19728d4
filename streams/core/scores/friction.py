"""Friction in points of NPS."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from streams.core.scores.base import Result, Unit, clamped, rounded
from streams.core.scores.nps import Nps
from streams.core.scores.touchpoints import FrictionScore
from streams.core.statistics.intervals import adjusted_nps
from streams.core.statistics.quantiles import Z95


class Friction(FrictionScore):
    """The points by which a touchpoint lowers the total transactional NPS.

    >>> own, others = {10: 10, 7: 20, 0: 20}, {10: 30, 7: 10, 0: 10}
    >>> Friction().friction(own, others, 0.5).value  # 50/100 of 40 − (−20)
    30.0
    """

    name = "friction"
    unit: Unit = "points"
    code = 40
    reads = (Nps("nps", 1, "transactional"),)

    def friction(self, own: Mapping[int, int], others: Mapping[int, int], share: float) -> Result:
        """In points, with an interval from the adjusted NPS of both sides, which are independent."""
        mine, theirs = _answer_counts(own), _answer_counts(others)
        value = 100 * share * (theirs.nps - mine.nps)
        (own_nps, own_error), (peer_nps, peer_error) = adjusted_nps(*mine), adjusted_nps(*theirs)
        middle, half = share * (peer_nps - own_nps), Z95 * share * math.hypot(own_error, peer_error)
        counts = {
            "promoters": mine.promoters,
            "detractors": mine.detractors,
            "others": theirs.n,
            "others_promoters": theirs.promoters,
            "others_detractors": theirs.detractors,
        }
        return rounded(value, clamped((middle - half, middle + half), -200 * share, 200 * share), mine.n, counts)


class _AnswerCounts(NamedTuple):
    promoters: int
    detractors: int
    n: int

    @property
    def nps(self) -> float:
        """NPS as a ratio, −1…1."""
        return (self.promoters - self.detractors) / self.n


def _answer_counts(answers: Mapping[int, int]) -> _AnswerCounts:
    promoters = answers.get(9, 0) + answers.get(10, 0)
    detractors = sum(answers.get(answer, 0) for answer in range(7))
    return _AnswerCounts(promoters, detractors, sum(answers.values()))
