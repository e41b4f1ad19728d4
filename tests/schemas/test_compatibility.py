"""Which changes of a record break its senders, and which its readers."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from schemas.catalogue import PANES, SCORES, SURVEYS, TOPICS, Topic
from schemas.compatibility import Schema, breaks
from schemas.json_schema import record_schema

Change = Callable[[Schema, list[str]], object]
PUBLIC = [topic for topic in TOPICS if topic.role != "internal"]


def fields(**changes: Any) -> Change:
    """Set fields of the record; None takes one away."""

    def change(properties: Schema, required: list[str]) -> None:
        for name, schema in changes.items():
            if schema is None:
                del properties[name]
                required[:] = [other for other in required if other != name]
            else:
                properties[name] = schema

    return change


def required(name: str) -> Change:
    return lambda _, names: names.append(name)


def optional(name: str) -> Change:
    return lambda _, names: names.remove(name)


def both(*changes: Change) -> Change:
    return lambda properties, names: [change(properties, names) for change in changes]


def after(topic: Topic, name: str, change: Change) -> list[str]:
    old = record_schema(topic)
    new = copy.deepcopy(old)
    record = new["$defs"][name]
    change(record["properties"], record["required"])
    return breaks(old, new, topic.role)


TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}

BREAKING = {
    "a source loses a field": (SURVEYS, "Survey", fields(comment=None), "comment: removed"),
    "a source loses a required field": (SURVEYS, "Survey", fields(kind=None), "kind: removed"),
    "a source demands a new field": (
        SURVEYS,
        "Survey",
        both(fields(locale=TEXT), required("locale")),
        "locale: is required now",
    ),
    "a source demands an old field": (SURVEYS, "Survey", required("team"), "team: is required now"),
    "a source takes another type": (SURVEYS, "Survey", fields(team=WHOLE), "team: string is refused now"),
    "a source takes no null": (SURVEYS, "Survey", fields(customer=TEXT), "customer: null is refused now"),
    "a source knows a value less": (
        SURVEYS,
        "Survey",
        fields(kind={"enum": ["nps", "ces2", "csat"]}),
        "kind: 'ces1' is refused now",
    ),
    "a source takes only some values": (
        SURVEYS,
        "Survey",
        fields(team={"enum": ["billing"]}),
        "team: any other value is refused now",
    ),
    "a source takes shorter text": (
        SURVEYS,
        "Survey",
        fields(team={"type": "string", "maxLength": 64}),
        "team: maxLength was 128, is 64",
    ),
    "a source takes smaller numbers": (
        SURVEYS,
        "Survey",
        fields(revision={"anyOf": [{"type": "integer", "minimum": 1, "maximum": 2**53}, {"type": "null"}]}),
        "revision: minimum was 0, is 1",
    ),
    "a source wants text of a form": (
        SURVEYS,
        "Survey",
        fields(team={"type": "string", "maxLength": 128, "pattern": "^[a-z]+$"}),
        "team: pattern was none, is ^[a-z]+$",
    ),
    "a reader misses a field": (SCORES, "Score", fields(owner=None), "owner: removed"),
    "a reader misses a required field": (SCORES, "Score", fields(n=None), "n: removed"),
    "a reader may miss a field": (SCORES, "Score", optional("n"), "n: no longer required"),
    "a reader finds another type": (SCORES, "Score", fields(n=TEXT), "n: string is new"),
    "a reader finds fractions": (SCORES, "Score", fields(n=NUMBER), "n: number is new"),
    "a reader finds null": (SCORES, "Score", fields(n={"anyOf": [WHOLE, {"type": "null"}]}), "n: null is new"),
    "a reader finds fractions among counts": (
        SCORES,
        "Score",
        fields(counts={"type": "object", "additionalProperties": NUMBER}),
        "counts{}: number is new",
    ),
    "a reader finds times in any form": (SCORES, "Score", fields(end=TEXT), "end: format was date-time, is none"),
    "a reader of one kind of record misses a field": (PANES, "Watermark", fields(offset=None), "offset: removed"),
}

HARMLESS = {
    "a source takes a new optional field": (SURVEYS, "Survey", fields(locale=TEXT)),
    "a source demands less": (SURVEYS, "Survey", optional("survey")),
    "a source takes null as well": (SURVEYS, "Survey", fields(team={"anyOf": [TEXT, {"type": "null"}]})),
    "a source knows a value more": (SURVEYS, "Survey", fields(audience={"enum": ["external", "internal", "partner"]})),
    "a source takes longer text": (SURVEYS, "Survey", fields(team={"type": "string", "maxLength": 256})),
    "a reader finds a new field": (SCORES, "Score", both(fields(trend=NUMBER), required("trend"))),
    "a reader may count on a field": (SCORES, "Score", required("owner")),
    "a reader finds no null any more": (SCORES, "Score", fields(value=NUMBER)),
    "a reader finds whole numbers only": (
        SCORES,
        "Score",
        fields(value={"anyOf": [WHOLE, {"type": "null"}]}),
    ),
}


@pytest.mark.parametrize(("topic", "name", "change", "line"), BREAKING.values(), ids=BREAKING)
def test_a_breaking_change_is_named_with_its_field(topic: Topic, name: str, change: Change, line: str) -> None:
    assert line in after(topic, name, change)


@pytest.mark.parametrize(("topic", "name", "change"), HARMLESS.values(), ids=HARMLESS)
def test_a_harmless_change_breaks_nobody(topic: Topic, name: str, change: Change) -> None:
    assert after(topic, name, change) == []


@pytest.mark.parametrize("topic", PUBLIC, ids=lambda topic: topic.examples)
def test_an_unchanged_record_breaks_nobody(topic: Topic) -> None:
    assert breaks(record_schema(topic), record_schema(topic), topic.role) == []


def test_an_additional_rule_breaks_a_source_and_a_removed_rule_a_derived_record() -> None:
    old = record_schema(SURVEYS)
    without = json.loads(json.dumps(old))
    without["$defs"]["Survey"]["allOf"].pop()
    assert breaks(old, without, "source") == []
    assert len(breaks(without, old, "source")) == 1
    assert len(breaks(old, without, "derived")) == 1


def test_a_removed_kind_of_record_is_a_breaking_change() -> None:
    old = record_schema(PANES)
    new = {**old, "anyOf": old["anyOf"][:1]}
    assert "offset: removed" in breaks(old, new, "derived")
    assert "type: 'watermark' is refused now" in breaks(old, new, "source")
    assert "type: 'watermark' is new" in breaks(new, old, "derived")
