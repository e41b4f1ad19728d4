"""Valid examples are accepted; invalid ones are refused for the reason in their file name."""

import json
import re
from collections.abc import Callable
from itertools import starmap
from operator import attrgetter
from typing import get_args

import msgspec
import pytest

from schemas.catalogue import REJECTS, SOURCE_TOPICS, TOPICS, Topic
from schemas.decoding import MAX_DEPTH, MAX_RECORD_BYTES, EventDecoder, Invalid, explain
from schemas.examples import FOLDER, Example, examples
from schemas.reject import Reason

PUBLIC = tuple(topic for topic in TOPICS if topic.role != "internal")
NAME = attrgetter("examples")
ALL = [(topic, example) for topic in PUBLIC for example in examples(topic)]


VALID = [(topic, example) for topic, example in ALL if example.reason is None]
INVALID = [(topic, example) for topic, example in ALL if example.reason is not None]
LABEL = "{0.examples}/{1.name}".format

PRODUCED_ELSEWHERE = {
    "future": "stage 1, which knows the arrival",
    "not_storable": "the ClickHouse sink, for rows that the database refuses",
}


def judge(topic: Topic, payload: bytes | None) -> object:
    if topic.role == "source":
        return EventDecoder(topic.record).one(payload)
    try:
        return msgspec.json.decode(payload or b"", type=topic.record)
    except msgspec.ValidationError as error:
        return explain(str(error))


def good(topic: Topic) -> bytes:
    return next(example.payload for example in examples(topic) if example.reason is None)


def with_unknown_field(topic: Topic, value: bytes) -> bytes:
    return good(topic).rstrip()[:-1] + b', "unknown": ' + value + b"}"


BUILT: dict[str, Callable[[Topic], bytes | None]] = {
    "null_value": lambda topic: None,
    "too_large": lambda topic: with_unknown_field(topic, b'"' + b"x" * 5_000_000 + b'"'),
    "too_deep": lambda topic: with_unknown_field(topic, b"[" * 100_000 + b"]" * 100_000),
}
"""Refused records that are built here because they would be too large for files."""


@pytest.mark.parametrize(("topic", "example"), VALID, ids=starmap(LABEL, VALID))
def test_a_valid_example_is_accepted(topic: Topic, example: Example) -> None:
    assert isinstance(judge(topic, example.payload), topic.record)


@pytest.mark.parametrize(("topic", "example"), INVALID, ids=starmap(LABEL, INVALID))
def test_an_invalid_example_is_refused_for_exactly_the_reason_and_the_field_in_its_name(
    topic: Topic, example: Example
) -> None:
    verdict = judge(topic, example.payload)
    assert isinstance(verdict, Invalid)
    reason, _, what = example.name.partition("--")
    assert verdict.reason == reason
    assert what.startswith(re.split(r"[.\[]", verdict.field)[0]), verdict
    assert verdict.detail


@pytest.mark.parametrize("topic", SOURCE_TOPICS, ids=NAME)
@pytest.mark.parametrize("reason", BUILT)
def test_a_built_record_is_refused_for_its_reason_alone_and_in_a_chunk(topic: Topic, reason: str) -> None:
    payload, decoder = BUILT[reason](topic), EventDecoder(topic.record)
    verdict = decoder.one(payload)
    assert isinstance(verdict, Invalid)
    assert verdict.reason == reason
    accepted = decoder.one(good(topic))
    assert list(decoder.many([good(topic), payload, good(topic)])) == [accepted, verdict, accepted]


def test_a_record_just_within_the_limits_is_accepted() -> None:
    for topic in SOURCE_TOPICS:
        room = MAX_RECORD_BYTES - len(with_unknown_field(topic, b'""'))
        assert isinstance(judge(topic, with_unknown_field(topic, b'"' + b"x" * room + b'"')), topic.record)
        levels = MAX_DEPTH - 1
        assert isinstance(judge(topic, with_unknown_field(topic, b"[" * levels + b"]" * levels)), topic.record)


@pytest.mark.parametrize("topic", PUBLIC, ids=NAME)
def test_every_topic_has_examples_of_both_kinds(topic: Topic) -> None:
    folder = FOLDER / topic.examples
    for kind in ("valid", "invalid"):
        assert any((folder / kind).glob("*.*")), (
            f"{topic.name}: put an example into schemas/examples/{topic.examples}/{kind}"
        )


def test_every_example_belongs_to_a_topic() -> None:
    known = {f"{topic.examples}/{kind}" for topic in PUBLIC for kind in ("valid", "invalid")}
    files = [path for path in FOLDER.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}]
    orphans = [str(path.relative_to(FOLDER)) for path in files if str(path.parent.relative_to(FOLDER)) not in known]
    assert not orphans, "move them to the folder of a topic in schemas/catalogue.py, or delete them"
    assert len(files) == len(ALL)


@pytest.mark.parametrize("topic", PUBLIC, ids=NAME)
def test_every_field_occurs_in_a_valid_example(topic: Topic) -> None:
    covered = {name for e in examples(topic) if e.reason is None for name in json.loads(e.payload)}
    fields = {
        field.encode_name for kind in get_args(topic.record) or [topic.record] for field in msgspec.structs.fields(kind)
    }
    assert fields <= covered, f"{topic.name}: show {fields - covered} in schemas/examples/{topic.examples}/valid"


def test_every_reason_is_produced_by_an_example_or_listed_as_produced_elsewhere() -> None:
    covered = {e.reason for topic in SOURCE_TOPICS for e in examples(topic) if e.reason} | set(BUILT)
    assert covered | set(PRODUCED_ELSEWHERE) == set(get_args(Reason))
    assert not covered & set(PRODUCED_ELSEWHERE)


def test_topic_names_are_unique_and_end_with_their_version() -> None:
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    assert len({topic.examples for topic in TOPICS}) == len(TOPICS)
    assert all(topic.name.endswith(f".v{topic.version}") for topic in TOPICS)


def test_dead_letters_of_every_source_go_to_a_topic_of_rejects() -> None:
    assert {topic.dead_letters for topic in SOURCE_TOPICS} == {REJECTS.name}
    assert {topic.dead_letters for topic in TOPICS} <= {None, REJECTS.name}
    assert REJECTS in TOPICS
