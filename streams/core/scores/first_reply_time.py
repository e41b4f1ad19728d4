"""First reply time."""

from streams.core.events.derived_kinds import REPLIED
from streams.core.scores.tickets import CaseTime


class FirstReplyTime(CaseTime):
    """Creation of a ticket to the first public reply of an agent; counted when that is given."""

    what = REPLIED
