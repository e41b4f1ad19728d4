"""First resolution time."""

from streams.core.events.derived_kinds import FIRST_SOLVED
from streams.core.scores.tickets import CaseTime


class FirstResolutionTime(CaseTime):
    """Creation of a ticket to when it was first solved; counted then."""

    what = FIRST_SOLVED
