"""What the ticket scores share: they count cases, which are made of all changes of a ticket."""

from abc import abstractmethod
from collections.abc import Mapping

from streams.core.events.derived_kinds import TICKET_MILESTONE
from streams.core.events.record_fields import UNKNOWN, RecordFields
from streams.core.scores.base import Result, Score, Slots, Unit
from streams.core.scores.durations import mean_of, slots_of

_SUM = 0


class CaseScore(Score):
    """A score over what is told of tickets."""

    source = TICKET_MILESTONE

    derived = True

    def slots(self, facts: RecordFields) -> Slots:
        """What a case contributes; nothing of any other record."""
        return self.of_case(facts[1], facts[2:]) if facts[0] == TICKET_MILESTONE else ()

    @abstractmethod
    def of_case(self, what: int, values: RecordFields) -> Slots:
        """What this case contributes: what it tells (as in facts.py), and its values."""


class CaseTime(CaseScore):
    """Mean of how long something took in the tickets that got there, in calendar time or in business hours."""

    unit: Unit = "seconds"

    @property
    @abstractmethod
    def what(self) -> int:
        """Which cases tell how long it took, as in facts.py."""

    def __init__(self, name: str, code: int, business: bool = False) -> None:
        self.name = name
        self.code = code
        self._field = int(business)

    def of_case(self, what: int, values: RecordFields) -> Slots:
        """How long it took, where that is known."""
        if what != self.what or values[self._field] == UNKNOWN:
            return ()
        ms = values[self._field]
        return (_SUM, ms), *slots_of(ms)

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """In seconds, with Student's interval."""
        total = acc.get(_SUM, 0)
        return mean_of(acc, total, {"sum_ms": total})
