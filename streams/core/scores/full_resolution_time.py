"""Full resolution time."""

from streams.core.events.derived_kinds import SOLVED
from streams.core.scores.tickets import TicketDuration


class FullResolutionTime(TicketDuration):
    """Time from the creation of a ticket to its last solution; counted there, and moved if it is solved again."""

    milestone = SOLVED
