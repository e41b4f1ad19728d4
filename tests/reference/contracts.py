"""The fields of the four sources, each with the check its value must pass."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

TICKETS, CALLS, SURVEYS, ACCOUNTS = "cx.tickets.v1", "cx.calls.v1", "cx.surveys.v1", "cx.accounts.v1"
STATES = ("invited", "declined", "answered")
KINDS = {"nps": (0, 10), "ces2": (1, 7), "ces1": (1, 5), "csat": (1, 5)}
PROGRAMS = ("transactional", "relationship")
OUTCOMES = ("answered", "abandoned", "menu")
DIRECTIONS = ("inbound", "outbound")
TICKET_CHANGES = (
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
)
ACCOUNT_CHANGES = ("started", "renewed", "cancelled", "updated")


class Refused(Exception):
    """A record that breaks its contract; carries the reason."""


Check = Callable[[Any], Any]


def text(least: int, most: int) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, str):
            raise Refused("wrong_type")
        if not least <= len(value) <= most:
            raise Refused("out_of_range")
        return value

    return check


def one_of(*names: str) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, str):
            raise Refused("wrong_type")
        if value not in names:
            raise Refused("unknown_value")
        return value

    return check


def whole(value: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused("wrong_type")
    if not 0 <= value <= 2**53:
        raise Refused("out_of_range")
    return value


def number(value: Any) -> Any:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Refused("wrong_type")
    if abs(value) > 1.7976931348623157e308:
        raise Refused("out_of_range")
    return float(value)


def whole_or_text(value: Any) -> Any:
    if not isinstance(value, int | str) or isinstance(value, bool):
        raise Refused("wrong_type")
    return value


def true_or_false(value: Any) -> Any:
    if not isinstance(value, bool):
        raise Refused("wrong_type")
    return value


def optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)


def moment(value: Any) -> Any:
    """Milliseconds since 1970 UTC, whole ones, rounded down."""
    if not isinstance(value, str):
        raise Refused("wrong_type")
    match = RFC3339.fullmatch(value)
    try:
        seconds = datetime.fromisoformat(f"{match[1]}T{match[2]}") if match else None
        zone = match[4] if match else None
        offset = _offset(zone) if zone else UTC
    except ValueError:
        seconds = None
    if match is None or seconds is None:
        raise Refused("bad_time")
    if not zone:
        raise Refused("no_zone")
    micros = timedelta(microseconds=round(Fraction(f"0{match[3] or ''}") * 1_000_000))
    since = seconds.replace(tzinfo=offset) - datetime(1970, 1, 1, tzinfo=UTC) + micros
    return since // timedelta(milliseconds=1)


def _offset(zone: str) -> timezone:
    if zone in "Zz":
        return UTC
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError(zone)
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1))


LABEL, NAME = text(0, 128), text(1, 256)
ENVELOPE: dict[str, Check] = {
    "event_id": NAME,
    "record_id": NAME,
    "time": moment,
    "revision": optional(whole),
    "updated_at": optional(moment),
    "customer": optional(text(0, 256)),
    "touchpoint": LABEL,
    "channel": LABEL,
    "team": LABEL,
    "agent": LABEL,
    "segment": LABEL,
    "audience": one_of("external", "internal"),
    "source": LABEL,
}
FIELDS: dict[str, dict[str, Check]] = {
    TICKETS: ENVELOPE
    | {
        "change": one_of(*TICKET_CHANGES),
        "priority": LABEL,
        "approval": optional(true_or_false),
        "opened_at": optional(moment),
        "reassignments": optional(whole),
        "reopens": optional(whole),
        "amount": optional(number),
        "status": LABEL,
    },
    CALLS: ENVELOPE
    | {
        "outcome": one_of(*OUTCOMES),
        "direction": one_of(*DIRECTIONS),
        "queue": LABEL,
        "wait": optional(number),
        "talk": optional(number),
        "hold": optional(number),
        "after_call": optional(number),
        "transfers": optional(whole),
        "call_id": LABEL,
    },
    SURVEYS: ENVELOPE
    | {
        "survey": text(1, 128),
        "kind": one_of(*KINDS),
        "state": one_of(*STATES),
        "score": optional(whole_or_text),
        "scale": LABEL,
        "program": one_of(*PROGRAMS),
        "comment": text(0, 20_000),
    },
    ACCOUNTS: ENVELOPE | {"change": one_of(*ACCOUNT_CHANGES), "value": optional(number), "plan": LABEL},
}
REQUIRED = {
    TICKETS: ("event_id", "record_id", "time", "change"),
    CALLS: ("event_id", "record_id", "time", "outcome"),
    SURVEYS: ("event_id", "record_id", "time", "survey", "kind"),
    ACCOUNTS: ("event_id", "record_id", "time", "change"),
}
