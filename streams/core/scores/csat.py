"""Customer satisfaction."""

from collections.abc import Mapping

from streams.core.events.surveys import SURVEY_KINDS
from streams.core.scores.base import Result, Unit
from streams.core.scores.survey import AnswerScore, share_of_slots


class Csat(AnswerScore):
    """Share of the two best of five answers (top-2-box)."""

    name = "csat"
    unit: Unit = "ratio"
    code = 6
    kind = SURVEY_KINDS.index("csat")

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval."""
        return share_of_slots(acc, (4, 5), "satisfied")
