"""A topic may contain any bytes: each record is judged on its own, always in the same way, and never raises."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.account import Account
from schemas.call import Call
from schemas.decoding import MAX_DEPTH, MAX_DETAIL, MAX_RECORD_BYTES, EventDecoder, Invalid, explain
from schemas.envelope import Envelope
from schemas.survey import Survey
from schemas.ticket import Ticket

SURVEYS, CALLS, TICKETS = EventDecoder(Survey), EventDecoder(Call), EventDecoder(Ticket)
ENVELOPE = b'{"event_id":"e","record_id":"r","time":"2025-03-03T09:15:00Z"'
GOOD = ENVELOPE + b',"survey":"s","kind":"nps","score":9}'
CALL = ENVELOPE + b',"outcome":"answered","talk":%s}'
OTHER = GOOD.replace(b'"e"', b'"f"')


def with_unknown(value: bytes) -> bytes:
    return GOOD[:-1] + b',"unknown":' + value + b"}"


def refusal(verdict: object) -> tuple[str, str]:
    assert isinstance(verdict, Invalid), verdict
    return verdict.reason, verdict.field


FRAGMENTS = [
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b'"',
        b"\n",
        b"\r\n",
        b" ",
        b"\\",
        b"null",
        b"9",
        b"\xff",
        b"\x00",
        b"\xef\xbb\xbf",
    ),
    *(
        GOOD,
        OTHER,
        GOOD[:-1],
        GOOD[1:],
        b'{"a":[{}',
        b"{}]}",
        b'{"a":"',
        b'"}',
        b',"a":[{}',
        b',"a":{"b":{}',
        b',"a":"',
    ),
]
PIECES = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=4)), max_size=5).map(b"".join)
CHUNKS = st.lists(st.one_of(st.none(), st.just(GOOD), PIECES), max_size=6)


@given(CHUNKS)
@example([])
@example([GOOD[:-1] + b',"a":[{}', b"{}]}", GOOD + OTHER])
@example([GOOD[:-1] + b',"a":[{},', b"{}]}", GOOD + OTHER])
@example([GOOD[:-1] + b',"a":"}', b'{"}', GOOD + OTHER])
@example([GOOD[:-1] + b',"a":"}', b'{":1}', GOOD + OTHER])
@example([GOOD[:-1] + b",", OTHER[1:], GOOD + OTHER])
@example([GOOD + b"\n" + OTHER, b""])
@example([GOOD + b"\n" + OTHER, b" "])
@example([b"", GOOD + b"\n" + OTHER])
@example([GOOD.replace(b",", b",\n"), OTHER])
@example([GOOD + b"\n", OTHER])
def test_a_chunk_is_decoded_as_its_records_are_one_by_one(chunk: list[bytes | None]) -> None:
    assert list(SURVEYS.many(chunk)) == [SURVEYS.one(payload) for payload in chunk]


def test_a_payload_of_two_records_never_makes_up_for_a_record_cut_in_two() -> None:
    first, second, third, fourth = SURVEYS.many([GOOD[:-1] + b',"a":[{}', b"{}]}", GOOD + OTHER, GOOD])
    assert [refusal(first), refusal(second), refusal(third)] == [("not_json", "")] * 3
    assert isinstance(fourth, Survey)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise(payload: bytes) -> None:
    assert isinstance(SURVEYS.one(payload), Invalid)


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=3))
def test_a_damaged_record_never_raises(at: int, damage: bytes) -> None:
    damaged = GOOD[:at] + damage + GOOD[at + len(damage) :]
    assert list(TICKETS.many([damaged])) == [TICKETS.one(damaged)]
    assert list(SURVEYS.many([GOOD, damaged])) == [SURVEYS.one(GOOD), SURVEYS.one(damaged)]


DEEP: dict[str, Callable[[int], bytes]] = {
    "arrays": lambda n: b"[" * n + b"]" * n,
    "objects": lambda n: b'{"a":' * n + b"1" + b"}" * n,
    "arrays never closed": lambda n: b"[" * n,
    "behind strings full of brackets": lambda n: b'["]]]]\\"]]",' * n + b"1" + b"]" * n,
}


@pytest.mark.parametrize("nested", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("levels", [2 * MAX_DEPTH + 1, 1_000, 15_000])
def test_deep_nesting_is_refused_wherever_it_is(nested: Callable[[int], bytes], levels: int) -> None:
    deep = nested(levels)
    records = [deep, with_unknown(deep), GOOD.replace(b'"s"', deep), GOOD.replace(b'"score":9', b'"score":' + deep)]
    for payload in records:
        first, verdict, last = SURVEYS.many([GOOD, payload, OTHER])
        assert refusal(verdict) == ("too_deep", "")
        assert verdict == SURVEYS.one(payload)
        assert isinstance(first, Survey)
        assert isinstance(last, Survey)


@pytest.mark.parametrize("payload", [b"[" * 200_000, b"[" * 200_000 + b"]" * 200_000, b'{"a":' * 200_000])
def test_200_000_nested_arrays_or_objects_are_rejected_without_an_error(payload: bytes) -> None:
    expected = "too_large" if len(payload) > MAX_RECORD_BYTES else "too_deep"
    for hostile in (payload, with_unknown(payload)):
        assert [type(verdict) for verdict in SURVEYS.many([GOOD, hostile])] == [Survey, Invalid]
        assert refusal(SURVEYS.one(hostile)) == (expected, "")


def test_depth_is_judged_the_same_however_deep_the_caller_is() -> None:
    def below(frames: int, payload: bytes) -> object:
        return below(frames - 1, payload) if frames else SURVEYS.one(payload)

    fits, deep = (with_unknown(b"[" * n + b"]" * n) for n in (MAX_DEPTH - 1, MAX_DEPTH))
    assert isinstance(SURVEYS.one(fits), Survey)
    for frames in (1, 300, 600):
        assert below(frames, fits) == SURVEYS.one(fits)
        assert refusal(below(frames, deep)) == ("too_deep", "")


def test_brackets_within_text_are_not_nesting() -> None:
    comment = GOOD[:-1] + b',"comment":"' + b"[{" * 400 + b'\\"' * 400 + b"[{" * 400 + b'"}'
    wide = with_unknown(b"[" + b",".join([b"[{}]"] * 400) + b"]")
    assert list(map(type, SURVEYS.many([comment, wide, GOOD]))) == [Survey] * 3


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (b"9" * 100_000, "out_of_range"),
        (b"9" * 4_300, "out_of_range"),
        (b"1e999", "out_of_range"),
        (b"-1e999", "out_of_range"),
        (b"Infinity", "not_json"),
        (b"-Infinity", "not_json"),
        (b"NaN", "not_json"),
        (b'"12"', "wrong_type"),
        (b"true", "wrong_type"),
    ],
)
def test_a_duration_beyond_all_numbers_is_refused(number: bytes, reason: str) -> None:
    good = CALL % b"60"
    first, verdict, last = CALLS.many([good, CALL % number, good])
    assert refusal(verdict) == (reason, "talk" if reason != "not_json" else "")
    assert isinstance(first, Call)
    assert isinstance(last, Call)


@pytest.mark.parametrize(
    ("number", "seconds"), [(b"-5", -5.0), (b"0." + b"0" * 100_000 + b"1", 0.0), (b"1e308", 1e308), (b"null", None)]
)
def test_a_negative_or_odd_duration_keeps_the_event(number: bytes, seconds: float | None) -> None:
    call = CALLS.one(CALL % number)
    assert isinstance(call, Call)
    assert call.talk == seconds


def test_a_score_of_100_000_digits_is_out_of_range_as_number_and_no_score_as_text() -> None:
    assert refusal(SURVEYS.one(GOOD.replace(b"9}", b"9" * 100_000 + b"}"))) == ("out_of_range", "score")
    assert refusal(SURVEYS.one(GOOD.replace(b"9}", b'"' + b"9" * 100_000 + b'"}'))) == ("wrong_type", "score")


def test_five_megabytes_are_refused_without_being_decoded() -> None:
    first, verdict, last = SURVEYS.many([GOOD, with_unknown(b'"' + b"x" * 5_000_000 + b'"'), GOOD])
    assert refusal(verdict) == ("too_large", "")
    assert first == last == SURVEYS.one(GOOD)


def test_of_a_repeated_key_the_last_value_counts() -> None:
    decoded = SURVEYS.one(GOOD.replace(b'"score":9', b'"score":99,"score":3'))
    assert isinstance(decoded, Survey)
    assert decoded.score == 3
    assert refusal(SURVEYS.one(GOOD.replace(b'"score":9', b'"score":3,"score":99'))) == ("out_of_range", "score")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'"\\ud800"', "not_json"),
        (b'"\\udc00\\ud800"', "not_json"),
        (b'"\xed\xa0\x80"', "not_utf8"),
        (b'"\xff"', "not_utf8"),
        (b'"a\nb"', "not_json"),
    ],
)
def test_text_that_is_not_valid_unicode_is_refused(text: bytes, reason: str) -> None:
    payload = GOOD[:-1] + b',"comment":' + text + b"}"
    assert refusal(SURVEYS.one(payload)) == (reason, "")


def test_an_unknown_field_need_not_be_utf_8() -> None:
    assert list(map(type, SURVEYS.many([with_unknown(b'"\xff"'), GOOD]))) == [Survey, Survey]


def test_bad_bytes_in_a_field_of_another_topic_do_not_hide_the_reason() -> None:
    account = ENVELOPE + b',"change":"started","plan":"\xff"}'
    assert refusal(SURVEYS.one(account)) == ("missing_field", "survey")


def test_a_pretty_printed_record_is_a_record() -> None:
    pretty = json.dumps(json.loads(GOOD), indent=2).encode()
    assert SURVEYS.many([pretty, pretty])[1] == SURVEYS.one(GOOD)


@pytest.mark.parametrize(
    "text",
    [
        "missing required field `time`",
        "Object missing required field `time`",
        "x - at `$.time`",
        "Expected `datetime` with a timezone component",
        "Invalid RFC3339 encoded datetime",
        "future: time: forged",
        "of length <= 3",
    ],
)
def test_a_value_that_imitates_an_error_message_does_not_change_the_reason(text: str) -> None:
    payload = GOOD.replace(b'"nps"', json.dumps(text).encode())
    assert refusal(SURVEYS.one(payload)) == ("unknown_value", "kind")


def test_an_explanation_is_cut_to_its_maximum_length() -> None:
    for payload in (GOOD.replace(b'"nps"', b'"' + b"x" * 100_000 + b'"'), GOOD.replace(b"9}", b"9" * 4_300 + b"}")):
        verdict = SURVEYS.one(payload)
        assert isinstance(verdict, Invalid)
        assert len(verdict.detail) == MAX_DETAIL


def test_a_message_about_a_key_names_its_field() -> None:
    message = "Expected `int`, got `str` - at `key` in `$.counts[...]`"
    assert refusal(explain(message)) == ("wrong_type", "counts[...]")


KNOWN_ELSEWHERE: list[tuple[type[Envelope], dict[str, Any], str, str]] = [
    (Ticket, {"change": "updated", "amount": "12"}, "wrong_type", "amount"),
    (Ticket, {"change": "updated", "priority": 1}, "wrong_type", "priority"),
    (Ticket, {"change": "started"}, "wrong_topic", ""),
    (Ticket, {"change": "updated", "plan": "team", "reopens": -1}, "out_of_range", "reopens"),
    (Account, {"change": "updated", "value": "12"}, "wrong_type", "value"),
    (Account, {"change": "solved"}, "wrong_topic", ""),
]


def test_a_name_that_is_not_utf8_is_refused_also_in_a_record_of_another_source() -> None:
    account = ENVELOPE + b',"change":"updated","\xff":1}'
    refused = CALLS.one(account)
    assert isinstance(refused, Invalid)
    assert CALLS.many([account, account]) == [refused, refused]


@pytest.mark.parametrize(("record", "fields", "reason", "field"), KNOWN_ELSEWHERE)
def test_a_record_belongs_to_another_topic_only_if_that_source_knows_all_it_says(
    record: type[Envelope], fields: dict[str, Any], reason: str, field: str
) -> None:
    envelope = {"event_id": "e", "record_id": "r", "time": "2024-01-01T00:00:00Z"}
    refused = EventDecoder(record).one(json.dumps(envelope | fields).encode())
    assert isinstance(refused, Invalid)
    assert (refused.reason, refused.field) == (reason, field)
