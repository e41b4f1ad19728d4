"""Tickets: opened, replied to, handed on, escalated, solved, reopened, paid back, closed."""

from typing import Any

from schemas.catalogue import TICKETS
from schemas.ticket import Change, Ticket
from streams.simulation.story import Story, draw, moment

_PRIORITIES = (("normal", 0.55), ("low", 0.2), ("high", 0.2), ("urgent", 0.05))
_PACE_OF = {"urgent": 0.2, "high": 0.5, "normal": 1.0, "low": 1.6}
HOUR = 3_600.0


class _Case:
    """One ticket on its way."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.record_id = story.name("ticket")
        self.opened_at = moment(story.now)
        self.priority = draw(story.rng, _PRIORITIES)
        self.haste = _PACE_OF[self.priority] * (0.1 if story.channel == "chat" else 1.0) * story.load
        self.reassignments = self.reopens = 0

    def change(self, change: Change, status: str, **more: Any) -> None:
        """Tell that something changed now."""
        fields = self.story.envelope(self.record_id, "helpdesk")
        fields |= {"priority": self.priority, "opened_at": self.opened_at, "status": status}
        fields |= {"reassignments": self.reassignments, "reopens": self.reopens} | more
        self.story.tell(TICKETS.name, Ticket(**fields, change=change))

    def wait(self, hours: float) -> None:
        """Let working time pass, with this median for a normal ticket at normal load."""
        self.story.wait(hours * HOUR * self.haste)


def ticket(story: Story) -> bool:
    """Tell the life of one ticket; whether it was solved (merged ones are not)."""
    case = _Case(story)
    case.change("opened", "new")
    if story.chance(0.015):
        case.wait(0.5)
        case.change("merged", "closed")
        return False
    case.wait(0.9)
    case.change("first_reply", "open")
    _hand_on(case)
    _solve(case)
    if story.chance(0.07 if story.feeling > -1 else 0.2):
        _reopen(case)
    _close(case)
    return True


def _hand_on(case: _Case) -> None:
    story = case.story
    while case.reassignments < 3 and story.chance(0.2):
        case.wait(1.0)
        case.reassignments += 1
        story.agent, story.feeling = story.somebody(story.touchpoint), story.feeling - 0.25
        case.change("reassigned", "open")
    if story.chance(0.06 * story.load):
        case.wait(1.0)
        story.feeling -= 0.3
        case.change("escalated", "open")


def _solve(case: _Case) -> None:
    story, approval = case.story, case.story.chance(0.15)
    case.wait(4.0)
    if story.chance(story.touchpoint.refund):
        story.feeling += 0.5
        change: Change = "refunded" if story.chance(0.75) else "replaced"
        case.change(change, "open", approval=approval, amount=round(story.rng.lognormvariate(3.4, 0.8), 2))
    case.change("solved", "solved", approval=approval)


def _reopen(case: _Case) -> None:
    case.wait(3.0)
    case.reopens += 1
    case.story.feeling -= 0.4
    case.change("reopened", "open")
    case.wait(3.0)
    case.change("solved", "solved", approval=False)


def _close(case: _Case) -> None:
    """Tickets close by themselves a day after the solution; the customer's story does not wait for it."""
    solved = case.story.now
    case.story.spend(24 * HOUR)
    case.change("closed", "closed")
    case.story.now = solved
