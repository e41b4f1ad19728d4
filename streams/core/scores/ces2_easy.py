"""Customer effort score 2.0 as a share."""

from collections.abc import Mapping

from streams.core.events.surveys import SURVEY_KINDS
from streams.core.scores.base import Result, Unit
from streams.core.scores.survey import AnswerScore, share_of_slots


class Ces2Easy(AnswerScore):
    """Share of answers 5–7 to "made it easy for me"."""

    name = "ces2_easy"
    unit: Unit = "ratio"
    code = 4
    kind = SURVEY_KINDS.index("ces2")

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval."""
        return share_of_slots(acc, (5, 6, 7), "easy")
