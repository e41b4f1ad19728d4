"""The oracle reads contracts by itself; here it must come to the same verdict as the product's decoder."""

import json
from typing import Any

import pytest

from schemas.catalogue import topic as catalogue_topic
from schemas.decoding import EventDecoder, Invalid
from tests.reference import Arrival, Event, decode
from tests.reference.contracts import ACCOUNTS, CALLS, SURVEYS, TICKETS
from tests.reference.events import numbered

SURVEY = {"event_id": "e", "record_id": "r", "time": "2024-01-01T00:00:00Z", "survey": "s", "kind": "nps", "score": 9}
CALL = {"event_id": "e", "record_id": "r", "time": "2024-01-01T00:00:00Z", "outcome": "answered"}
TICKET = {"event_id": "e", "record_id": "r", "time": "2024-01-01T00:00:00Z", "change": "opened"}
ACCOUNT = {"event_id": "e", "record_id": "r", "time": "2024-01-01T00:00:00Z", "change": "started"}
GOOD: dict[str, dict[str, Any]] = {SURVEYS: SURVEY, CALLS: CALL, TICKETS: TICKET, ACCOUNTS: ACCOUNT}


def read(topic: str, payload: bytes | None) -> Event | str:
    return decode(Arrival(topic, 0, 0, 1_800_000_000_000, payload))


def verdicts(topic: str, payload: bytes | None) -> tuple[str, str]:
    """The reason of the product and that of the oracle; "" for an event."""
    theirs: Any = EventDecoder[Any](catalogue_topic(topic).record).one(payload)
    ours = read(topic, payload)
    return theirs.reason if isinstance(theirs, Invalid) else "", ours if isinstance(ours, str) else ""


CHANGES: list[tuple[str, dict[str, Any], str]] = [
    (SURVEYS, {"score": "10"}, ""),
    (SURVEYS, {"score": 0}, ""),
    (SURVEYS, {"score": 11}, "out_of_range"),
    (SURVEYS, {"score": -1}, "out_of_range"),
    (SURVEYS, {"score": 10**30}, "out_of_range"),
    (SURVEYS, {"score": 6.5}, "wrong_type"),
    (SURVEYS, {"score": 7.0}, "wrong_type"),
    (SURVEYS, {"score": True}, "wrong_type"),
    (SURVEYS, {"score": "N/A"}, "wrong_type"),
    (SURVEYS, {"score": "010"}, "wrong_type"),
    (SURVEYS, {"score": "٣"}, "wrong_type"),
    (SURVEYS, {"score": None}, "missing_field"),
    (SURVEYS, {"score": None, "state": "invited"}, ""),
    (SURVEYS, {"score": None, "state": "declined"}, ""),
    (SURVEYS, {"score": 55, "state": "invited"}, "out_of_range"),
    (SURVEYS, {"scale": "0-10"}, ""),
    (SURVEYS, {"scale": "stars"}, "foreign_scale"),
    (SURVEYS, {"kind": "csat"}, "out_of_range"),
    (SURVEYS, {"kind": "csat", "score": 5}, ""),
    (SURVEYS, {"kind": "stars"}, "unknown_value"),
    (SURVEYS, {"kind": 5}, "wrong_type"),
    (SURVEYS, {"survey": ""}, "out_of_range"),
    (SURVEYS, {"event_id": ""}, "out_of_range"),
    (SURVEYS, {"customer": None}, ""),
    (SURVEYS, {"team": None}, "wrong_type"),
    (SURVEYS, {"team": "x" * 128}, ""),
    (SURVEYS, {"team": "x" * 129}, "out_of_range"),
    (SURVEYS, {"audience": "public"}, "unknown_value"),
    (SURVEYS, {"revision": -1}, "out_of_range"),
    (SURVEYS, {"revision": 1.0}, "wrong_type"),
    (SURVEYS, {"revision": True}, "wrong_type"),
    (SURVEYS, {"revision": 10**25}, "out_of_range"),
    (SURVEYS, {"updated_at": "yesterday"}, "bad_time"),
    (SURVEYS, {"comment": "a\nb"}, ""),
    (SURVEYS, {"unknown": {"nested": [1, 2.5, None]}}, ""),
    (SURVEYS, {"unknown": 10**1000}, ""),
    (CALLS, {"wait": -3}, ""),
    (CALLS, {"wait": 1e308}, ""),
    (CALLS, {"wait": 10**400}, "out_of_range"),
    (CALLS, {"wait": "5"}, "wrong_type"),
    (CALLS, {"wait": True}, "wrong_type"),
    (CALLS, {"transfers": None}, ""),
    (TICKETS, {"approval": 1}, "wrong_type"),
    (TICKETS, {"approval": False, "amount": 12.5, "opened_at": "2023-12-31T23:00:00+01:00"}, ""),
    (ACCOUNTS, {"change": "vanished"}, "unknown_value"),
    (ACCOUNTS, {"value": 1200}, ""),
]


@pytest.mark.parametrize(("topic", "change", "reason"), CHANGES, ids=lambda v: str(v)[:40])
def test_a_field_is_judged_alike(topic: str, change: dict[str, Any], reason: str) -> None:
    assert verdicts(topic, json.dumps(GOOD[topic] | change).encode()) == (reason, reason)


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        ("2024-01-01t00:00:00z", ""),
        ("2024-01-01 00:00:00Z", ""),
        ("2024-01-01T00:00:00.1234567Z", ""),
        ("2024-02-29T23:59:59-00:00", ""),
        ("2024-01-01T00:00:00+23:59", ""),
        ("2024-01-01T00:00:00+0200", ""),
        ("0001-01-01T00:00:00+23:00", ""),
        ("2024-01-01T00:00:00", "no_zone"),
        ("2024-01-01", "bad_time"),
        ("2023-02-29T00:00:00Z", "bad_time"),
        ("2024-01-01T24:00:00Z", "bad_time"),
        ("2024-01-01T00:00Z", "bad_time"),
        ("2024-01-01T00:00:60Z", "bad_time"),
        ("2024-01-01T00:00:00+24:00", "bad_time"),
        ("", "bad_time"),
        ("1704067200", "bad_time"),
        ("2024-01-01T00:00:00,5Z", "bad_time"),
        ("2024-W01-1T00:00:00Z", "bad_time"),
        (1704067200, "wrong_type"),
        (None, "wrong_type"),
    ],
)
def test_a_time_is_judged_alike(moment: object, reason: str) -> None:
    assert verdicts(SURVEYS, json.dumps(SURVEY | {"time": moment}).encode()) == (reason, reason)


BODY = json.dumps(SURVEY)[:-1].encode()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (None, "null_value"),
        (b"", "not_json"),
        (b"nonsense", "not_json"),
        (BODY, "not_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"5", "not_an_object"),
        (b'"x"', "not_an_object"),
        (b"\xff", "not_utf8"),
        (BODY + b',"comment":"\xff"}', "not_utf8"),
        (BODY + b',"comment":"\\ud800"}', "not_json"),
        (BODY + b',"x":NaN}', "not_json"),
        (BODY + b",}", "not_json"),
        (BODY + b"} x", "not_json"),
        (b"\xef\xbb\xbf" + BODY + b"}", "not_json"),
        (BODY + b',"x":' + b"[" * 200_000, "too_deep"),
        (b"[" * 200_000, "too_deep"),
        (b'{"x":"' + b"a" * 262_144 + b'"}', "too_large"),
        (b"{}", "missing_field"),
        (json.dumps(TICKET).encode(), "wrong_topic"),
        (BODY + b',"score":5}', ""),
        (BODY + b',"kind":"stars","kind":"nps"}', "unknown_value"),
    ],
    ids=lambda v: repr(v)[-30:],
)
def test_a_payload_is_judged_alike(payload: bytes | None, reason: str) -> None:
    assert verdicts(SURVEYS, payload) == (reason, reason)


@pytest.mark.parametrize("topic", GOOD)
@pytest.mark.parametrize("sent", GOOD)
def test_a_record_in_the_wrong_topic_is_judged_alike(topic: str, sent: str) -> None:
    ours, theirs = verdicts(topic, json.dumps(GOOD[sent]).encode())
    assert ours == theirs == ("" if topic == sent else "wrong_topic")


def event(topic: str, **change: Any) -> Event:
    read_event = read(topic, json.dumps(GOOD[topic] | change).encode())
    assert isinstance(read_event, Event)
    return read_event


def test_times_are_whole_milliseconds_rounded_down() -> None:
    assert event(SURVEYS, time="1970-01-01T00:00:01.9995+00:00").time == 1_999
    assert event(SURVEYS, time="1970-01-01T01:00:00+01:00").time == 0
    assert event(SURVEYS, time="1969-12-31T23:59:59.9999Z").time == -1
    assert event(SURVEYS, time="1970-01-01T00:00:00.9999999Z").time == 1_000


def test_what_a_record_is_and_which_version_of_it() -> None:
    assert event(SURVEYS).identity == (SURVEYS, "r", "")
    assert event(TICKETS).identity == (TICKETS, "r", "e")
    assert event(SURVEYS, revision=3, updated_at="2024-01-02T00:00:00Z").version == (3, 2)
    assert event(CALLS, updated_at="1970-01-01T00:00:02Z").version == (2_000, 0)
    assert event(CALLS).version == (1_704_067_200_000, 0)


@pytest.mark.parametrize("customer", ["", "0", None])
def test_nobody_is_no_customer(customer: str | None) -> None:
    assert event(CALLS, customer=customer).customer is None


def test_facts_are_those_of_the_product() -> None:
    assert event(SURVEYS, kind="ces1", score="3", program="relationship").facts == (2, 2, 2, 3, 1)
    assert event(SURVEYS, score=None, state="declined").facts == (2, 0, 1, -1, 0)
    assert event(CALLS, outcome="menu", wait=-1, talk=1.5, transfers=2).facts == (1, 2, 0, -1, 1_500, -1, -1, 2)
    assert event(TICKETS, change="solved", approval=True, opened_at="1970-01-01T00:00:01Z", amount=0.5).facts == (
        0,
        6,
        1_000,
        1,
        -1,
        -1,
        50,
        numbered("r"),
    )
    assert event(ACCOUNTS, change="cancelled", value=99.99).facts == (3, 2, 9_999)
