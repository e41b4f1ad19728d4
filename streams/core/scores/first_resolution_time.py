"""First resolution time."""

from streams.core.events.derived_kinds import FIRST_SOLVED
from streams.core.scores.tickets import TicketDuration


class FirstResolutionTime(TicketDuration):
    """Time from the creation of a ticket to its first solution; counted at that solution."""

    milestone = FIRST_SOLVED
