"""From the bytes of an arrival to an event, by the standard library's JSON."""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from tests.reference.contracts import (
    ACCOUNT_CHANGES,
    ACCOUNTS,
    CALLS,
    DIRECTIONS,
    FIELDS,
    KINDS,
    OUTCOMES,
    PROGRAMS,
    REQUIRED,
    STATES,
    SURVEYS,
    TICKET_CHANGES,
    TICKETS,
    Refused,
)
from tests.reference.summary import Facts

DIMENSIONS = ("touchpoint", "channel", "team", "agent", "queue", "segment", "audience", "source")


@dataclass(frozen=True)
class Arrival:
    """One record as it lies in a source partition; `arrival_ms` is when the broker got it."""

    topic: str
    partition: int
    offset: int
    arrival_ms: int
    payload: bytes | None
    key: bytes | None = None


@dataclass(frozen=True)
class Event:
    """One version of one record."""

    place: tuple[str, int]
    identity: tuple[str, str, str]
    version: tuple[int, int]
    time: int
    customer: str | None
    dims: dict[str, str]
    facts: Facts


class Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, in their order and with repetitions."""


@lru_cache(maxsize=20_000)  # the fault tests ask several times for each of their arrivals
def decode(arrival: Arrival) -> Event | str:
    """The event, or the reason why it is none: the first one in the order of the fields in the document."""
    try:
        members = _parse(arrival.payload)
        fields = _conform(arrival.topic, members)
    except Refused as refused:
        return str(refused)
    return _event(arrival, fields)


def _parse(payload: bytes | None) -> Pairs:
    if payload is None:
        raise Refused("null_value")
    if len(payload) > 256 * 1024:
        raise Refused("too_large")
    try:
        content = payload.decode()
        members = json.loads(
            content, strict=False, object_pairs_hook=Pairs, parse_int=_integer, parse_constant=_no_constant
        )
        json.dumps(members, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except RecursionError:
        raise Refused("too_deep") from None
    except UnicodeDecodeError:
        raise Refused("not_utf8") from None
    except ValueError:
        raise Refused("not_json") from None
    if not isinstance(members, Pairs):
        raise Refused("not_an_object")
    return members


def _integer(digits: str) -> int:
    return int(digits) if len(digits) < 400 else 10**400 * (-1 if digits[0] == "-" else 1)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_SHARED = set.intersection(*(set(fields) for fields in FIELDS.values()))
"""The fields of every source."""


def _conform(topic: str, members: Pairs) -> dict[str, Any]:
    try:
        return _fields(topic, members)
    except Refused:
        said = {name for name, _ in members} & FIELDS[topic].keys() - _SHARED
        others = [other for other in FIELDS if other != topic and said <= FIELDS[other].keys()]
        if any(_fits(other, members) for other in others):
            raise Refused("wrong_topic") from None
        raise


def _fits(topic: str, members: Pairs) -> bool:
    try:
        _fields(topic, members)
    except Refused:
        return False
    return True


def _fields(topic: str, members: Pairs) -> dict[str, Any]:
    checks = FIELDS[topic]
    fields = {name: checks[name](value) for name, value in members if name in checks}
    if any(name not in fields for name in REQUIRED[topic]):
        raise Refused("missing_field")
    return fields | {"score": _score(fields)} if topic == SURVEYS else fields


def _score(fields: dict[str, Any]) -> int | None:
    low, high = KINDS[fields["kind"]]
    score = fields.get("score")
    if fields.get("scale") and fields["scale"] != f"{low}-{high}":
        raise Refused("foreign_scale")
    if score is None:
        if fields.get("state", "answered") == "answered":
            raise Refused("missing_field")
        return None
    if isinstance(score, str) and not re.fullmatch(r"[0-9]{1,2}", score):
        raise Refused("wrong_type")
    if not low <= int(score) <= high:
        raise Refused("out_of_range")
    return int(score)


def _event(arrival: Arrival, fields: dict[str, Any]) -> Event:
    by_event = arrival.topic in (TICKETS, ACCOUNTS)
    version = next(v for v in (fields.get("revision"), fields.get("updated_at"), fields["time"]) if v is not None)
    progress = STATES.index(fields.get("state", "answered")) if arrival.topic == SURVEYS else 0
    return Event(
        place=(arrival.topic, arrival.partition),
        identity=(arrival.topic, fields["record_id"], fields["event_id"] if by_event else ""),
        version=(version, progress),
        time=fields["time"],
        customer=None if fields.get("customer") in (None, "", "0") else fields["customer"],
        dims={name: fields.get(name, "external" if name == "audience" else "") for name in DIMENSIONS},
        facts=_facts(arrival.topic, fields),
    )


def _facts(topic: str, fields: dict[str, Any]) -> Facts:
    def known(name: str) -> int:
        return -1 if fields.get(name) is None else int(fields[name])

    def scaled(name: str, scale: int) -> int:
        value = fields.get(name)
        return -1 if value is None or not 0 <= value <= 2**53 / scale else round(value * scale)

    if topic == SURVEYS:
        return (
            2,
            list(KINDS).index(fields["kind"]),
            STATES.index(fields.get("state", "answered")),
            known("score"),
            PROGRAMS.index(fields.get("program", "transactional")),
        )
    if topic == CALLS:
        return (
            1,
            OUTCOMES.index(fields["outcome"]),
            DIRECTIONS.index(fields.get("direction", "inbound")),
            *(scaled(name, 1000) for name in ("wait", "talk", "hold", "after_call")),
            known("transfers"),
            *([numbered(fields["call_id"])] if fields.get("call_id") else []),
        )
    if topic == TICKETS:
        return (
            0,
            TICKET_CHANGES.index(fields["change"]),
            max(known("opened_at"), -1),
            known("approval"),
            known("reassignments"),
            known("reopens"),
            scaled("amount", 100),
            numbered(fields["record_id"]),
        )
    return 3, ACCOUNT_CHANGES.index(fields["change"]), scaled("value", 100)


def numbered(name: str) -> int:
    """What stands for the name of a ticket or a call in its facts."""
    return int(blake2b(name.encode(), digest_size=6).hexdigest(), 16)
