"""One record as the ledger keeps it."""

import msgspec

from streams.core.events.record_fields import RecordFields


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One record: identity (8 bytes), version, event time in ms, interned dimensions, fields."""

    identity: bytes
    version: int
    time_ms: int
    dims: int
    fields: RecordFields
