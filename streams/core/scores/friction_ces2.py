"""Friction on the scale of CES 2.0."""

from collections.abc import Mapping

from streams.core.scores.base import Result, Unit, clamped, rounded
from streams.core.scores.ces2 import Ces2
from streams.core.scores.touchpoints import FrictionScore
from streams.core.statistics.two_groups import Moments, welch_interval

_SCALE_WIDTH = 6


class FrictionCes2(FrictionScore):
    """The amount by which a touchpoint lowers the total mean of "made it easy for me".

    >>> FrictionCes2().friction({3: 10}, {6: 30}, 0.25).value  # 10/40 of 6 − 3
    0.75
    """

    name = "friction_ces2"
    unit: Unit = "scale"
    code = 41
    reads = (Ces2(),)

    def friction(self, own: Mapping[int, int], others: Mapping[int, int], share: float) -> Result:
        """On the scale, with Welch's interval; without one if either side has a single answer."""
        mine, theirs = _moments(own), _moments(others)
        interval = welch_interval(theirs, mine)
        scaled = None if interval is None else (share * interval[0], share * interval[1])
        counts = {"sum": mine.total, "others": theirs.n, "others_sum": theirs.total}
        value = share * (theirs.mean - mine.mean)
        return rounded(value, clamped(scaled, -_SCALE_WIDTH * share, _SCALE_WIDTH * share), mine.n, counts)


def _moments(answers: Mapping[int, int]) -> Moments:
    total = sum(answer * count for answer, count in answers.items())
    squares = sum(answer * answer * count for answer, count in answers.items())
    return Moments(sum(answers.values()), total, squares)
