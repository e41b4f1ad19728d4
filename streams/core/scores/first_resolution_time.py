"""First resolution time."""

from streams.core.facts import FIRST_SOLVED
from streams.core.scores.cases import CaseTime


class FirstResolutionTime(CaseTime):
    """Creation of a ticket to when it was first solved; counted then."""

    what = FIRST_SOLVED
