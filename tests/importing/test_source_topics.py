"""Any source topic of the catalogue can be mapped, including one that does not exist yet."""

import io
import json
from dataclasses import replace
from typing import Literal, get_args

import msgspec
import pytest

from schemas import catalogue
from schemas.catalogue import CALLS, SOURCE_TOPICS, Topic
from schemas.envelope import Envelope, Moment
from streams.errors import MappingError
from streams.importing.convert import Converter, Outcome, Ready, Rejected
from streams.importing.field_types import FieldType, field_types, required_fields
from streams.importing.mapping_text import parse_mapping
from streams.importing.tables import read_table


class Message(msgspec.Struct):
    sender: Literal["customer", "agent"]
    text: str


class Visit(Envelope, frozen=True, kw_only=True, gc=False):
    """A visit to a store, which has fields of types that no source topic of today has."""

    messages: list[Message]
    ended_at: Moment | None = None
    waited_s: float | None = None
    visitor: dict[str, str] | None = None
    resolved: bool | None = None


VISITS = replace(CALLS, name="cx.visits.v1", record=Visit, doc="Visit transcripts")
MAPPING = """
topic = "cx.visits.v1"
[fields]
record_id = "id"
time = "at"
messages = "transcript"
ended_at = { column = "end", format = "epoch_ms" }
waited_s = { column = "waited", unit = "ms" }
visitor = "visitor"
resolved = "ok"
"""
ROW = {
    "id": 7,
    "at": "2024-05-01T10:00:00Z",
    "transcript": [{"sender": "customer", "text": "hello"}],
    "end": 1_714_557_600_000,
    "waited": "1500",
    "visitor": {"browser": "x"},
    "ok": "True",
}


@pytest.fixture
def _visits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOURCE_TOPICS", "TOPICS"):
        monkeypatch.setattr(catalogue, name, (*getattr(catalogue, name), VISITS))


def convert(mapping_text: str, name: str, text: str) -> list[Outcome]:
    """Everything that an import does up to the events, in memory."""
    mapping = parse_mapping(mapping_text, name="visits", origin="visits.toml")
    table = read_table(name, io.StringIO(text), mapping)
    converter = Converter(mapping, table.name, table.header)
    return [converter.convert(row) for row in table.rows]


@pytest.mark.usefixtures("_visits")
def test_a_new_source_topic_with_fields_of_new_types_needs_no_change_of_the_importer() -> None:
    [outcome] = convert(MAPPING, "x.ndjson", json.dumps(ROW) + "\n")
    assert isinstance(outcome, Ready)
    event = json.loads(outcome.payload)
    assert event.pop("event_id").startswith("visits-")
    assert event == {
        "record_id": "7",
        "time": "2024-05-01T10:00:00Z",
        "messages": ROW["transcript"],
        "ended_at": "2024-05-01T10:00:00Z",
        "waited_s": 1.5,
        "visitor": ROW["visitor"],
        "resolved": True,
    }


@pytest.mark.usefixtures("_visits")
def test_a_text_where_a_list_is_needed_is_rejected_by_the_contract() -> None:
    [outcome] = convert(MAPPING, "x.ndjson", json.dumps(ROW | {"transcript": "hello"}) + "\n")
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "wrong_type"
    assert outcome.detail.startswith("messages: ")


@pytest.mark.usefixtures("_visits")
def test_a_mapping_to_a_new_source_topic_is_validated_by_its_struct() -> None:
    with pytest.raises(MappingError, match=r"fields.messages: missing; every event of cx.visits.v1"):
        parse_mapping(MAPPING.replace('messages = "transcript"', ""), name="visits", origin="visits.toml")
    with pytest.raises(MappingError, match=r"fields.visiter: .*did you mean 'visitor'"):
        parse_mapping(MAPPING.replace("visitor =", "visiter ="), name="visits", origin="visits.toml")


def test_an_unknown_topic_is_refused_with_the_names_of_all_source_topics() -> None:
    with pytest.raises(MappingError) as refused:
        parse_mapping(MAPPING, name="visits", origin="visits.toml")
    assert all(topic.name in str(refused.value) for topic in SOURCE_TOPICS)


@pytest.mark.parametrize("topic", SOURCE_TOPICS, ids=lambda topic: topic.name)
def test_every_field_of_every_source_topic_has_a_type(topic: Topic) -> None:
    types = field_types(topic.record)
    assert set(types) == set(topic.record.__struct_fields__)
    assert set(types.values()) <= set(get_args(FieldType))
    assert types["time"] == "time"
    assert "time" in required_fields(topic.record)
