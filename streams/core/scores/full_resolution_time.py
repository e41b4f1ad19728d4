"""Full resolution time."""

from streams.core.events.derived_kinds import SOLVED
from streams.core.scores.tickets import CaseTime


class FullResolutionTime(CaseTime):
    """Creation of a ticket to when it was last solved; counted then, and moved when it is solved again."""

    what = SOLVED
