"""Dead letters: what could not be accepted, why, and where it came from."""

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

    `encoding` is `utf-8` or `base64`; `size` is the full length in bytes; `truncated` says that
    `payload` is only its beginning. `field` names the offending field, `detail` says what to mend.
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
