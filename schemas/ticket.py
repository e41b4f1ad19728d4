"""Ticket events: one event for each change of a ticket."""

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

    `first_reply` is the first *public* comment of an agent. `approval` is whether the solution needed an approval.
    `opened_at` repeats the creation time if the source knows it. `reassignments` and `reopens` are the running counts
    of the source if it has them. `amount` is the value of a refund or a replacement, in the reporting currency.
    """

    change: Change
    priority: Label = ""
    approval: bool | None = None
    opened_at: Moment | None = None
    reassignments: Revision | None = None
    reopens: Revision | None = None
    amount: float | None = None
    status: Label = ""
