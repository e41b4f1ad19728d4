"""Ticket events: opened, replied to, reassigned, escalated, refunded, solved, reopened, closed."""

from typing import Any

from schemas.catalogue import TICKETS
from schemas.ticket import Change, Ticket
from streams.simulation.story import Story, draw, moment

_PRIORITIES = (("normal", 0.55), ("low", 0.2), ("high", 0.2), ("urgent", 0.05))
_PACE_OF = {"urgent": 0.2, "high": 0.5, "normal": 1.0, "low": 1.6}
HOUR = 3_600.0


class _TicketDraft:
    """One ticket; each change is a newer record of it."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.record_id = story.new_id("ticket")
        self.opened_at = moment(story.now_ms)
        self.priority = draw(story.rng, _PRIORITIES)
        self.pace = _PACE_OF[self.priority] * (0.1 if story.channel == "chat" else 1.0) * story.load
        self.reassignments = self.reopens = 0

    def change(self, change: Change, status: str, **more: Any) -> None:
        """Emit a change of the ticket now."""
        fields = self.story.envelope(self.record_id, "helpdesk")
        fields |= {"priority": self.priority, "opened_at": self.opened_at, "status": status}
        fields |= {"reassignments": self.reassignments, "reopens": self.reopens} | more
        self.story.emit(TICKETS.name, Ticket(**fields, change=change))

    def wait(self, hours: float) -> None:
        """Let working time pass; `hours` is the median for a normal ticket at normal load."""
        self.story.wait(hours * HOUR * self.pace)


def ticket(story: Story) -> bool:
    """Emit the life of one ticket; returns whether it was solved (a merged ticket is not)."""
    draft = _TicketDraft(story)
    draft.change("opened", "new")
    if story.chance(0.015):
        draft.wait(0.5)
        draft.change("merged", "closed")
        return False
    draft.wait(0.9)
    draft.change("first_reply", "open")
    _reassign(draft)
    _solve(draft)
    if story.chance(0.07 if story.feeling > -1 else 0.2):
        _reopen(draft)
    _close(draft)
    return True


def _reassign(draft: _TicketDraft) -> None:
    story = draft.story
    while draft.reassignments < 3 and story.chance(0.2):
        draft.wait(1.0)
        draft.reassignments += 1
        story.agent, story.feeling = story.pick_agent(story.touchpoint), story.feeling - 0.25
        draft.change("reassigned", "open")
    if story.chance(0.06 * story.load):
        draft.wait(1.0)
        story.feeling -= 0.3
        draft.change("escalated", "open")


def _solve(draft: _TicketDraft) -> None:
    story, approval = draft.story, draft.story.chance(0.15)
    draft.wait(4.0)
    if story.chance(story.touchpoint.refund):
        story.feeling += 0.5
        change: Change = "refunded" if story.chance(0.75) else "replaced"
        draft.change(change, "open", approval=approval, amount=round(story.rng.lognormvariate(3.4, 0.8), 2))
    draft.change("solved", "solved", approval=approval)


def _reopen(draft: _TicketDraft) -> None:
    draft.wait(3.0)
    draft.reopens += 1
    draft.story.feeling -= 0.4
    draft.change("reopened", "open")
    draft.wait(3.0)
    draft.change("solved", "solved", approval=False)


def _close(draft: _TicketDraft) -> None:
    """Close the ticket a day after the solution; the customer's story goes on at the time of the solution."""
    solved_ms = draft.story.now_ms
    draft.story.spend(24 * HOUR)
    draft.change("closed", "closed")
    draft.story.now_ms = solved_ms
