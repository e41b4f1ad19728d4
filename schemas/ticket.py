"""Ticket events: what changed about a ticket, one event a change."""

from typing import Literal

from schemas.envelope import Envelope, Label, Moment, Revision

Change = Literal[
    "opened",
    "updated",
    "first_reply",
    "reassigned",
    "escalated",
    "reopened",
    "solved",
    "closed",
    "merged",
    "refunded",
    "replaced",
]


class Ticket(Envelope, frozen=True, kw_only=True, gc=False):
    """One change of one ticket at `time`; `record_id` is the ticket.

    `first_reply` is the first *public* comment of an agent. `approval` says whether solving it
    needed somebody's approval. `opened_at` repeats the creation time where the source knows it;
    `reassignments` and `reopens` are the source's own running counts where it has them.
    """

    change: Change
    priority: Label = ""
    approval: bool | None = None
    opened_at: Moment | None = None
    reassignments: Revision | None = None
    reopens: Revision | None = None
    amount: float | None = None
    status: Label = ""
