"""Shared by the ticket scores: they count milestones, which stage 1 derives from all changes of a ticket."""

from abc import abstractmethod
from collections.abc import Mapping

from streams.core.events.derived_kinds import TICKET_MILESTONE
from streams.core.events.record_fields import UNKNOWN, RecordFields
from streams.core.scores.base import Result, Score, Slots, Unit
from streams.core.scores.durations import duration_slots, mean_duration

_SUM_MS = 0


class TicketScore(Score):
    """A score over the milestones of tickets."""

    source = TICKET_MILESTONE

    derived = True

    def slots(self, fields: RecordFields) -> Slots:
        """The contribution of a milestone; empty for any other record."""
        return self.ticket_slots(fields[1], fields[2:]) if fields[0] == TICKET_MILESTONE else ()

    @abstractmethod
    def ticket_slots(self, milestone: int, values: RecordFields) -> Slots:
        """The contribution of this milestone (a code of derived_kinds.py) with these values."""


class TicketDuration(TicketScore):
    """Mean time from the creation of a ticket to a milestone, in calendar time or in business hours."""

    unit: Unit = "seconds"

    @property
    @abstractmethod
    def milestone(self) -> int:
        """The milestone, as in derived_kinds.py."""

    def __init__(self, name: str, code: int, business: bool = False) -> None:
        self.name = name
        self.code = code
        self._field = int(business)

    def ticket_slots(self, milestone: int, values: RecordFields) -> Slots:
        """The duration; nothing if it is unknown."""
        if milestone != self.milestone or values[self._field] == UNKNOWN:
            return ()
        duration_ms = values[self._field]
        return (_SUM_MS, duration_ms), *duration_slots(duration_ms)

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """In seconds, with Student's interval."""
        total_ms = acc.get(_SUM_MS, 0)
        return mean_duration(acc, total_ms, {"sum_ms": total_ms})
