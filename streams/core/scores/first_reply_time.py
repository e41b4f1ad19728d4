"""First reply time."""

from streams.core.facts import REPLIED
from streams.core.scores.cases import CaseTime


class FirstReplyTime(CaseTime):
    """Creation of a ticket to the first public reply of an agent; counted when that is given."""

    what = REPLIED
