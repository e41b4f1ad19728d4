"""Calls: one record a leg, sent again when it changes."""

from schemas.call import Call
from schemas.catalogue import CALLS
from streams.core.events.entry import Entry
from streams.core.events.evidence import Evidence
from streams.core.events.record_fields import RecordFields, codes_of, count_or_unknown, scaled, stable_number
from streams.core.events.source import EventSource

CALL = 1
CALL_OUTCOMES = ("answered", "abandoned", "menu")
CALL_DIRECTIONS = ("inbound", "outbound")

FIELDS = ("outcome", "direction", "wait_ms", "talk_ms", "hold_ms", "after_call_ms", "transfers", "call_number")
OUTCOME, DIRECTION, WAIT_MS, TALK_MS, HOLD_MS, AFTER_CALL_MS, TRANSFERS, CALL_NUMBER = range(1, 9)
"""Positions of the fields; the last is missing where the source gives no call id."""

_OUTCOMES, _DIRECTIONS = codes_of(CALL_OUTCOMES), codes_of(CALL_DIRECTIONS)
_ABANDONED, _INBOUND = _OUTCOMES["abandoned"], _DIRECTIONS["inbound"]


def read_call(event: Call) -> RecordFields:
    """The fields of an event.

    A negative duration is `UNKNOWN`: it costs the scores that need it, not the event.
    """
    fields = (
        CALL,
        _OUTCOMES[event.outcome],
        _DIRECTIONS[event.direction],
        scaled(event.wait, 1000),
        scaled(event.talk, 1000),
        scaled(event.hold, 1000),
        scaled(event.after_call, 1000),
        count_or_unknown(event.transfers),
    )
    return (*fields, stable_number(event.call_id)) if event.call_id else fields


def _observe(entry: Entry, evidence: Evidence) -> None:
    fields = entry.fields
    if fields[DIRECTION] != _INBOUND:
        return
    evidence.heard_from(entry.time_ms)
    evidence.contacted(entry.time_ms, fields[CALL_NUMBER] if len(fields) > CALL_NUMBER else None)
    if fields[OUTCOME] == _ABANDONED:
        evidence.observed("days_since_abandoned", entry.time_ms)
    evidence.waited(fields[WAIT_MS])
    evidence.transferred(fields[TRANSFERS])


SOURCE = EventSource(code=CALL, topic=CALLS, fields=FIELDS, read=read_call, has_derived_records=True, observe=_observe)
