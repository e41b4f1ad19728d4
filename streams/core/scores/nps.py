"""Net promoter score."""

from collections.abc import Mapping
from typing import Literal

from streams.core.events.record_fields import RecordFields
from streams.core.events.surveys import PROGRAM, SURVEY_KINDS, SURVEY_PROGRAMS
from streams.core.scores.base import Result, Slots, Unit, rounded
from streams.core.scores.survey import AnswerScore
from streams.core.statistics.intervals import adjusted_wald_nps


class Nps(AnswerScore):
    """`100·(promoters − detractors)/n`: 9–10 promotes, 0–6 detracts, 7–8 is passive and stays in n.

    Transactional and relationship surveys are two scores of this class; their answers never count together.

    >>> Nps("nps", 1, "transactional").result({10: 5, 7: 3, 0: 2})
    Result(value=30.0, lower=-19.050615, upper=65.204462, n=10, counts={'promoters': 5, 'passives': 3, 'detractors': 2})
    """

    unit: Unit = "points"
    kind = SURVEY_KINDS.index("nps")

    def __init__(self, name: str, code: int, program: Literal["transactional", "relationship"]) -> None:
        self.name = name
        self.code = code
        self._program = SURVEY_PROGRAMS.index(program)

    def slots(self, fields: RecordFields) -> Slots:
        """One in the slot of the answer; nothing for the other program."""
        slots = super().slots(fields)
        return slots if slots and fields[PROGRAM] == self._program else ()

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """In points, with the adjusted Wald interval."""
        n = sum(acc.values())
        if not n:
            return None
        promoters, passives = acc.get(9, 0) + acc.get(10, 0), acc.get(7, 0) + acc.get(8, 0)
        detractors = n - promoters - passives
        counts = {"promoters": promoters, "passives": passives, "detractors": detractors}
        return rounded(100 * (promoters - detractors) / n, adjusted_wald_nps(promoters, detractors, n), n, counts)
