"""Call events: one record per leg of a call, sent again when it changes."""

from typing import Literal

from schemas.envelope import Envelope, Label, Revision

Outcome = Literal["answered", "abandoned", "menu"]
Direction = Literal["inbound", "outbound"]


class Call(Envelope, frozen=True, kw_only=True, gc=False):
    """One call record; the same `record_id` sent again with newer content replaces it.

    Durations are seconds. A negative one keeps the event and loses only the score that needs it.
    Without `transfers` it is not known whether there were any.
    `menu` is a caller who left in the menu without having joined the queue.
    """

    outcome: Outcome
    direction: Direction = "inbound"
    queue: Label = ""
    wait: float | None = None
    talk: float | None = None
    hold: float | None = None
    after_call: float | None = None
    transfers: Revision | None = None
    call_id: Label = ""
