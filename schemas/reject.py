"""Dead letters: refused records with the reason and their address."""

from datetime import datetime
from typing import Literal

import msgspec

Reason = Literal[
    "null_value",
    "too_large",
    "not_utf8",
    "not_json",
    "too_deep",
    "not_an_object",
    "missing_field",
    "wrong_type",
    "out_of_range",
    "unknown_value",
    "bad_time",
    "no_zone",
    "future",
    "foreign_scale",
    "wrong_topic",
    "not_storable",
]


class Reject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One refused record with its address, the reason and the payload (capped at 64 KiB).

    `field` is the offending field, `detail` how to correct it. `encoding` of the payload is `utf-8` or `base64`,
    `size` its full length in bytes. `truncated` is true if `payload` holds only the beginning.
    """

    topic: str
    partition: int
    offset: int
    reason: Reason
    field: str
    detail: str
    time: datetime
    key: str
    payload: str
    encoding: Literal["utf-8", "base64"]
    size: int
    truncated: bool
