"""Hypothesis strategies for input as it really comes: late, early, twice, edited, out of order, broken."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from streams.core.stage1.partitioner import partition_of
from tests.reference import Arrival
from tests.reference.contracts import (
    ACCOUNT_CHANGES,
    ACCOUNTS,
    CALLS,
    KINDS,
    OUTCOMES,
    STATES,
    SURVEYS,
    TICKET_CHANGES,
    TICKETS,
)
from tests.reference.windows import moment_of

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
NOON = 1_704_110_400_000
"""2024-01-01T12:00:00Z, a boundary of every resolution."""

STEPS = (0, 0, 1, 2_500, 10 * SECOND, 61 * SECOND, 5 * MINUTE, HOUR, 7 * HOUR, DAY, 3 * DAY)
DELAYS = (
    0,
    0,
    0,
    1,
    4 * SECOND,
    10 * SECOND,
    59_999,
    MINUTE,
    5 * MINUTE + 1,
    HOUR,
    HOUR + 10 * SECOND,
    7 * HOUR,
    DAY,
    2 * DAY,
    2 * DAY + 1,
    3 * DAY + 1,
    8 * DAY,
    40 * DAY,
    150 * 365 * DAY,
)
SKEWS = (-1, -5 * MINUTE, -10 * MINUTE, -10 * MINUTE - 1, -HOUR, -365 * DAY)
CUSTOMERS = (None, "", "0", "c1", "c2", "c3", "c4")
PLACES: tuple[dict[str, str], ...] = (
    {},
    {"touchpoint": "web"},
    {"touchpoint": "web", "channel": "chat"},
    {"channel": "phone"},
    {"touchpoint": "a+b", "channel": "phone"},
)
JUNK = (None, b"", b"nonsense", b"[1]", b'{"event_id": "e"}', b"\xff")


@dataclass(frozen=True)
class Draft:
    """One arrival before it has an address: `step` after the one before, `delay` after its event (ms)."""

    topic: str
    step: int
    delay: int
    fields: dict[str, Any]
    junk: bytes | bool | None = False


surveys = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.fixed_dictionaries(
        {
            "survey": st.just("s"),
            "kind": st.just(kind),
            "state": st.sampled_from(("answered", "answered", *STATES)),
            "score": st.integers(*KINDS[kind]),
            "program": st.sampled_from(("transactional", "transactional", "relationship")),
        }
    )
)
tickets = st.fixed_dictionaries(
    {
        "change": st.sampled_from(TICKET_CHANGES),
        "approval": st.sampled_from((None, None, True, False)),
        "reassignments": st.sampled_from((None, None, 0, 1, 4)),
        "reopens": st.sampled_from((None, None, 0, 1, 2)),
    }
)
calls = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(("answered", "answered", *OUTCOMES)),
        "direction": st.sampled_from(("inbound", "inbound", "inbound", "outbound")),
        "wait": st.sampled_from((None, 0.0, 1.25, 20.0, 33.125)),
        "talk": st.sampled_from((None, -3.0, 0.0, 9.5, 612.25, 86_401.0)),
        "hold": st.sampled_from((None, 15.0)),
        "after_call": st.sampled_from((None, 0.0, 61.5)),
        "transfers": st.sampled_from((None, 0, 0, 1, 2)),
    }
)
accounts = st.fixed_dictionaries({"change": st.sampled_from(ACCOUNT_CHANGES), "value": st.sampled_from((None, 12.5))})
KIND_OF = {SURVEYS: surveys, TICKETS: tickets, CALLS: calls, ACCOUNTS: accounts}

envelopes = st.fixed_dictionaries(
    {
        "event_id": st.sampled_from(("e0", "e1")),
        "record_id": st.sampled_from(("r0", "r1", "r2", "r3", "r4")),
        "customer": st.sampled_from(CUSTOMERS),
        "revision": st.sampled_from((None, None, 1, 2, 3)),
    }
)


def drafts(
    steps: Sequence[int] = STEPS, delays: Sequence[int] = (*DELAYS, *DELAYS, *SKEWS)
) -> st.SearchStrategy[Draft]:
    """One arrival of any source, so long after the one before and after its event (ms)."""
    good = st.sampled_from((SURVEYS, SURVEYS, SURVEYS, CALLS, TICKETS, ACCOUNTS)).flatmap(
        lambda topic: st.builds(
            lambda step, delay, envelope, place, own: Draft(topic, step, delay, envelope | place | own),
            st.sampled_from(steps),
            st.sampled_from(delays),
            envelopes,
            st.sampled_from(PLACES),
            KIND_OF[topic],
        )
    )
    bad = st.builds(
        lambda topic, step, junk: Draft(topic, step, 0, {}, junk),
        st.sampled_from(tuple(KIND_OF)),
        st.sampled_from(steps),
        st.sampled_from(JUNK),
    )
    return st.one_of(good, good, good, good, good, good, good, bad)


def inputs(**choices: Sequence[int]) -> st.SearchStrategy[list[Draft]]:
    """Whole inputs: small ones, which failures shrink to, and ones long enough for things to meet."""
    return st.lists(drafts(**choices), max_size=8) | st.lists(drafts(**choices), min_size=25, max_size=60)


def addressed(drafted: Sequence[Draft], partitions: int) -> list[Arrival]:
    """The arrivals in their order, each in the partition its customer (or, for nobody, its record) belongs to."""
    offsets: dict[tuple[str, int], int] = {}
    now, arrivals = NOON, []
    for draft in drafted:
        now += draft.step
        payload = draft.junk if isinstance(draft.junk, bytes) or draft.junk is None else payload_of(draft, now)
        place = (draft.topic, home_of(draft.fields, partitions))
        offsets[place] = offsets.get(place, -1) + (2 if draft.step == 1 else 1)  # a broker's markers leave gaps
        arrivals.append(Arrival(*place, offsets[place], now, payload))
    return arrivals


def payload_of(draft: Draft, now: int) -> bytes:
    """The event as sent."""
    return json.dumps({**draft.fields, "time": moment_of(now - draft.delay)}).encode()


def home_of(fields: dict[str, Any], partitions: int) -> int:
    """The partition an event belongs to."""
    customer = fields.get("customer")
    key = customer if customer not in (None, "", "0") else fields.get("record_id", "")
    return partition_of(key.encode(), partitions)
