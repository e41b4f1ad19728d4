"""Call events: one record per leg of a call, sent again when it changes."""

from typing import Literal

from schemas.envelope import Envelope, Label, Revision

Outcome = Literal["answered", "abandoned", "menu"]
Direction = Literal["inbound", "outbound"]


class Call(Envelope, frozen=True, kw_only=True, gc=False):
    """One call record; the same `record_id` sent again with newer content replaces it.

    Durations are in seconds. An event with a negative duration is accepted, but the scores that need that duration
    leave it out. A missing `transfers` is unknown, not 0. The outcome `menu` is a caller who hung up in the menu
    before joining the queue. `call_id` is the same in all records (legs) of a transferred call.
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
