"""Friction on the scale of CES 2.0."""

from collections.abc import Mapping

from streams.core.scores.base import Result, Unit, clamped, rounded
from streams.core.scores.ces2 import Ces2
from streams.core.scores.touchpoints import FrictionScore
from streams.core.statistics.two_groups import Moments, welch_interval

_WIDTH = 6


class FrictionCes2(FrictionScore):
    """By how much a touchpoint holds down the mean of "made it easy for me".

    >>> FrictionCes2().against({3: 10}, {6: 30}, 0.25).value  # 10/40 of 6 − 3
    0.75
    """

    name = "friction_ces2"
    unit: Unit = "scale"
    code = 41
    reads = (Ces2(),)

    def against(self, own: Mapping[int, int], others: Mapping[int, int], share: float) -> Result:
        """With Welch's interval, as the two sides are independent; none where either has one answer only."""
        mine, theirs = _moments(own), _moments(others)
        interval = welch_interval(theirs, mine)
        scaled = None if interval is None else (share * interval[0], share * interval[1])
        counts = {"sum": mine.total, "others": theirs.n, "others_sum": theirs.total}
        value = share * (theirs.mean - mine.mean)
        return rounded(value, clamped(scaled, -_WIDTH * share, _WIDTH * share), mine.n, counts)


def _moments(answers: Mapping[int, int]) -> Moments:
    total = sum(answer * count for answer, count in answers.items())
    squares = sum(answer * answer * count for answer, count in answers.items())
    return Moments(sum(answers.values()), total, squares)
