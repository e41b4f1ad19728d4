"""Decodes bytes into typed events, one by one or a chunk at once, and explains why a record is refused."""

import re
from collections.abc import Sequence
from itertools import accumulate
from operator import itemgetter
from typing import Any, Generic, TypeVar, cast, get_args

import msgspec

from schemas.catalogue import SOURCE_TOPICS
from schemas.envelope import Envelope
from schemas.reject import Reason

MAX_RECORD_BYTES = 256 * 1024
"""Longer records are refused without being decoded."""
MAX_DEPTH = 150
"""Levels of arrays and objects in one record, itself included; deeper records are refused, also in unknown fields."""
MAX_DETAIL = 300
"""Characters of an explanation, which may quote a long value of the record."""

EventT = TypeVar("EventT", bound=Envelope)


class Invalid(msgspec.Struct, frozen=True):
    """Why a record was refused: a reason of `schemas.reject.Reason`, the field, and what to correct."""

    reason: Reason
    field: str
    detail: str


class EventDecoder(Generic[EventT]):
    """Decodes the records of one topic; build one per topic and keep it.

    >>> from schemas.survey import Survey
    >>> EventDecoder(Survey).one(b'{"kind": "nps"}')
    Invalid(reason='missing_field', field='event_id', detail='Object missing required field `event_id`')
    """

    def __init__(self, record: type[EventT]) -> None:
        self._decoder = msgspec.json.Decoder(record)
        self._record = record

    def many(self, payloads: Sequence[bytes | None]) -> Sequence[EventT | Invalid]:
        """Decode a chunk: all records at once if every one is valid, otherwise one by one.

        The result is the same as that of `one` for each record. Bad input never raises.
        """
        try:
            decoded: Sequence[EventT | Invalid] = self._at_once(payloads)
        except (TypeError, ValueError, LookupError, RecursionError):
            decoded = ()
        return decoded if len(decoded) == len(payloads) else [self.one(p) for p in payloads]

    def _at_once(self, payloads: Sequence[bytes | None]) -> Sequence[EventT]:
        # A null raises TypeError here and an empty record IndexError; `many` then decodes one by one.
        records = cast("Sequence[bytes]", payloads)
        joined = b"\n".join(records)
        # `}` newline `{` cannot occur inside a JSON value. If all records begin with `{` and end with `}`, no value
        # spans two records, so as many values as records means one value in each.
        if set(map(_FIRST, records)) != _OPENING or set(map(_LAST, records)) != _CLOSING:
            return ()
        longest = max(map(len, records))
        if longest > MAX_RECORD_BYTES or (longest > _SHORT and any(map(_may_be_deep, records))):
            return ()
        return self._decoder.decode_lines(joined)

    def one(self, payload: bytes | None) -> EventT | Invalid:
        """Decode one record; bad input never raises."""
        if payload is None:
            return Invalid("null_value", "", "the record has no value; send the event as JSON")
        if len(payload) > MAX_RECORD_BYTES:
            return Invalid("too_large", "", f"{len(payload)} bytes; at most {MAX_RECORD_BYTES} are read")
        if _may_be_deep(payload) and _depth(payload) > MAX_DEPTH:
            return Invalid("too_deep", "", f"arrays and objects nest deeper than {MAX_DEPTH}; send a flat object")
        try:
            return self._decoder.decode(payload)
        except msgspec.ValidationError as error:
            return self._explain(payload, explain(str(error)))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _malformed(payload, str(error))

    def _explain(self, payload: bytes, invalid: Invalid) -> Invalid:
        try:
            _WELL_FORMED.decode(payload)
        except msgspec.DecodeError as error:
            return _malformed(payload, str(error))
        for topic in SOURCE_TOPICS:
            if topic.record is not self._record and _is_record_of(payload, topic.record, self._record):
                return Invalid("wrong_topic", "", f"this is a record of {topic.name}; send it there")
        return invalid


_WELL_FORMED = msgspec.json.Decoder(msgspec.Raw)


def _is_record_of(payload: bytes, other: Any, record: Any) -> bool:
    """Whether a payload that is no `record` is one of another source.

    The other source must accept it, and must have every field of the payload that `record` has. Accepting alone is not
    enough, because unknown fields are ignored: a ticket with a wrong amount fits an account, which has no amount.
    """
    try:
        msgspec.json.decode(payload, type=other)
        names = _NAMES.decode(payload).keys()
    except ValueError:  # of msgspec, or of bytes that are not UTF-8: here also in names that `other` skips
        return False
    return names & _own_fields(record) <= _own_fields(other)


_NAMES = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _own_fields(record: Any) -> set[str]:
    return set(record.__struct_fields__) - set(Envelope.__struct_fields__)


_OPENING, _CLOSING = {ord("{")}, {ord("}")}
_FIRST, _LAST = itemgetter(0), itemgetter(-1)


_SHORT = 2 * MAX_DEPTH  # each level takes two brackets, so JSON of this many bytes cannot nest deeper


def _may_be_deep(payload: bytes) -> bool:
    return len(payload) > _SHORT and payload.count(b"{") + payload.count(b"[") > MAX_DEPTH


# Possessive, and without a way to fail after the first quote: a record full of quotes takes linear time.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+["\\]?', re.DOTALL)
_STEP = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_FLAT = bytes(set(range(256)) - set(_STEP))


def _depth(payload: bytes) -> int:
    brackets = _STRING.sub(b"", payload).translate(None, _FLAT)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


_PATH = re.compile(r" - at (?:`key` in )?`\$\.?([^`]*)`$")
_MISSING = re.compile(r"Object missing required field `([^`]+)`")
_OWN = re.compile(rf"({'|'.join(get_args(Reason))}): (\w+): (.*)", re.DOTALL)


def explain(message: str) -> Invalid:
    """The reason for a reject, from a validation message of msgspec or of a check in a struct.

    >>> explain("Expected `int` >= 0 - at `$.revision`")
    Invalid(reason='out_of_range', field='revision', detail='Expected `int` >= 0')
    """
    path = _PATH.search(message)
    text = _PATH.sub("", message)
    own, missing = _OWN.fullmatch(text), _MISSING.fullmatch(text)
    if own:
        return Invalid(cast(Reason, own[1]), own[2], _short(own[3]))
    if missing:
        return Invalid("missing_field", missing[1], text)
    field = path[1] if path else ""
    return Invalid(_reason(text) if field else "not_an_object", field, _short(text))


def _reason(text: str) -> Reason:
    if text.startswith(("Invalid enum value", "Invalid value")):
        return "unknown_value"
    if "timezone component" in text:
        return "no_zone"
    if text.startswith("Invalid RFC3339"):
        return "bad_time"
    limits = (">=", "<=", "of length", "out of range")
    return "out_of_range" if any(limit in text for limit in limits) else "wrong_type"


def _short(text: str) -> str:
    return text if len(text) <= MAX_DETAIL else text[: MAX_DETAIL - 1] + "…"


def _malformed(payload: bytes, message: str) -> Invalid:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        return Invalid("not_utf8", "", f"byte {error.start} is not UTF-8")
    return Invalid("not_json", "", message)
