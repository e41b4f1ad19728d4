"""From bytes to typed events, one by one or a whole chunk at once, and the reason where it fails."""

import re
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from schemas.catalogue import EVENTS
from schemas.envelope import Envelope

MAX_RECORD_BYTES = 256 * 1024
"""Longer records are refused before decoding."""

EventT = TypeVar("EventT", bound=Envelope)


class Invalid(msgspec.Struct, frozen=True):
    """Why a record was refused: a reason of `schemas.reject.Reason`, the field, and what to mend."""

    reason: str
    field: str
    detail: str


class EventDecoder(Generic[EventT]):
    """Decodes the records of one topic; built once per topic.

    >>> from schemas.survey import Survey
    >>> EventDecoder(Survey).one(b'{"kind": "nps"}')
    Invalid(reason='missing_field', field='event_id', detail='Object missing required field `event_id`')
    """

    def __init__(self, record: type[EventT]) -> None:
        self._decoder = msgspec.json.Decoder(record)
        self._record = record

    def many(self, payloads: Sequence[bytes | None]) -> Sequence[EventT | Invalid]:
        """Decode a chunk: all at once when every record is good, one by one when one is not."""
        try:
            decoded: Sequence[EventT | Invalid] = self._lines(payloads)
        except (TypeError, ValueError, RecursionError):
            decoded = ()
        return decoded if len(decoded) == len(payloads) else [self.one(p) for p in payloads]

    def _lines(self, payloads: Sequence[bytes | None]) -> Sequence[EventT]:
        joined = b"\n".join(payloads)  # type: ignore[arg-type]  # a null is a TypeError, by design
        seams = len(payloads) - 1
        # `}` newline `{` never stands inside a JSON value, and with no newline inside a record every
        # seam is one of these: so no two records can pass as one, nor one as two.
        if joined.count(b"\n") != seams or joined.count(b"}\n{") != seams or len(max(payloads, key=len)) > MAX_RECORD_BYTES:  # type: ignore[arg-type]
            return ()
        return self._decoder.decode_lines(joined)

    def one(self, payload: bytes | None) -> EventT | Invalid:
        """Decode one record; never raises on bad input."""
        if payload is None:
            return Invalid("null_value", "", "the record has no value; send the event as JSON")
        if len(payload) > MAX_RECORD_BYTES:
            return Invalid("too_large", "", f"{len(payload)} bytes; at most {MAX_RECORD_BYTES} are read")
        try:
            return self._decoder.decode(payload)
        except RecursionError:
            return Invalid("too_deep", "", "nested too deeply to be an event")
        except msgspec.ValidationError as error:
            return self._explain(payload, _validation(str(error)))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _malformed(payload, str(error))

    def _explain(self, payload: bytes, invalid: Invalid) -> Invalid:
        for topic in EVENTS:
            if topic.record is not self._record and _fits(payload, topic.record):
                return Invalid("wrong_topic", "", f"this is a record of {topic.name}; send it there")
        return invalid


def _fits(payload: bytes, record: type) -> bool:
    try:
        msgspec.json.decode(payload, type=record)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"missing required field `([^`]+)`")
_OWN = re.compile(r"^([a-z_]+): (\w+): (.*)$", re.DOTALL)


def _validation(message: str) -> Invalid:
    path = _PATH.search(message)
    text = _PATH.sub("", message)
    own, missing = _OWN.match(text), _MISSING.search(text)
    if own:
        return Invalid(own[1], own[2], own[3])
    if missing:
        return Invalid("missing_field", missing[1], text)
    field = path[1] if path else ""
    if not field:
        return Invalid("not_an_object", "", text)
    return Invalid(_reason(text), field, text)


def _reason(text: str) -> str:
    if "timezone component" in text:
        return "no_zone"
    if "datetime" in text or "RFC3339" in text:
        return "bad_time" if "Invalid" in text else "wrong_type"
    if text.startswith("Invalid enum value"):
        return "unknown_value"
    limits = (">=", "<=", "of length", "out of range")
    return "out_of_range" if any(limit in text for limit in limits) else "wrong_type"


def _malformed(payload: bytes, message: str) -> Invalid:
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        return Invalid("not_utf8", "", f"byte {error.start} is not UTF-8")
    return Invalid("not_json", "", message)
