"""Customer effort score 2.0 as a mean."""

from collections.abc import Mapping

from streams.core.events.surveys import SURVEY_KINDS
from streams.core.scores.base import Result, Unit
from streams.core.scores.survey import AnswerScore, mean_of_answers


class Ces2(AnswerScore):
    """Mean of "made it easy for me", 1–7, high is good."""

    name = "ces2"
    unit: Unit = "scale"
    code = 3
    kind = SURVEY_KINDS.index("ces2")

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """On the scale, with Student's interval."""
        return mean_of_answers(acc, 1, 7)
