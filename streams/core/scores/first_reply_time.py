"""First reply time."""

from streams.core.events.derived_kinds import REPLIED
from streams.core.scores.tickets import TicketDuration


class FirstReplyTime(TicketDuration):
    """Time from the creation of a ticket to the first public reply of an agent; counted at the reply."""

    milestone = REPLIED
