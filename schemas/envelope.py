"""The part every source event shares: who, when, where, and which version of which record."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

Audience = Literal["external", "internal"]
Moment = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 with a zone")]
Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Label = Annotated[str, msgspec.Meta(max_length=128)]
Revision = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

UNIDENTIFIED = frozenset({"", "0"})
"""Customer ids that mean nobody in particular; such records never share a customer."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Fields common to ticket, call, survey and account events.

    `record_id` names the thing (the answer, the ticket, the call record); `event_id` one message
    about it. The newest `revision` (or, without one, the newest `updated_at`) of a record wins.
    Unknown extra fields are accepted and ignored.
    """

    event_id: Identifier
    record_id: Identifier
    time: Moment
    revision: Revision | None = None
    updated_at: Moment | None = None
    customer: Annotated[str, msgspec.Meta(max_length=256)] | None = ""
    touchpoint: Label = ""
    channel: Label = ""
    team: Label = ""
    agent: Label = ""
    segment: Label = ""
    audience: Audience = "external"
    source: Label = ""
