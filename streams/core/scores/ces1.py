"""Customer effort score 1.0."""

from collections.abc import Mapping

from streams.core.events.surveys import SURVEY_KINDS
from streams.core.scores.base import Result, Unit
from streams.core.scores.survey import AnswerScore, mean_of_answers


class Ces1(AnswerScore):
    """Mean of "how much effort did it take", 1–5, low is good."""

    name = "ces1"
    unit: Unit = "scale"
    code = 5
    kind = SURVEY_KINDS.index("ces1")

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """On the scale, with Student's interval."""
        return mean_of_answers(acc, 1, 5)
