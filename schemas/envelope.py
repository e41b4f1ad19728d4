"""The fields that all source events share: customer, time, place, and the version of the record."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

Audience = Literal["external", "internal"]
Moment = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 with a zone")]
Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Label = Annotated[str, msgspec.Meta(max_length=128)]
Revision = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

UNIDENTIFIED = frozenset({"", "0"})
"""Customer ids of unidentified customers; two records with such an id are never of the same customer."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Fields common to ticket, call, survey and account events.

    `record_id` identifies the record (the answer, the ticket, the call record), `event_id` one message about it. Of
    several messages about a record the newest `revision` counts, or without revisions the newest `updated_at`.
    Unknown fields are ignored.
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
