"""The generated files are up to date, break nobody, and agree with the decoder."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker

from schemas import generate
from schemas.catalogue import SOURCE_TOPICS, SURVEYS, TOPICS, Topic
from schemas.decoding import EventDecoder, Invalid
from schemas.examples import Example, examples
from schemas.survey import Survey
from tests.contract.test_examples import NAME, PUBLIC, good, judge

SPECS = "6.11.1"
"""Version of the npm package @asyncapi/specs."""
CACHE = Path(__file__).parents[2] / ".cache"

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def is_a_time(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value.upper()))


def validator(topic: Topic) -> Draft202012Validator:
    schema = json.loads((generate.FOLDER / generate.file_name(topic)).read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FORMATS)


def test_the_generated_files_are_up_to_date_with_the_structs() -> None:
    assert not generate.drift(), f"run `{generate.COMMAND}` and commit what it writes"


def test_no_change_breaks_those_who_send_or_read_the_records() -> None:
    assert not generate.incompatibilities(), "see each line for what to do"


@pytest.mark.parametrize("topic", PUBLIC, ids=NAME)
def test_the_schema_accepts_and_refuses_the_examples_as_the_decoder_does(topic: Topic) -> None:
    check = validator(topic)
    checked = [e for e in examples(topic) if e.is_json]
    wrong = [e.name for e in checked if check.is_valid(json.loads(e.payload)) != (e.reason is None)]
    assert checked
    assert not wrong


JUNK: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**60,
    "",
    "x",
    "x" * 300,
    "9",
    "2025-03-03T09:15:00",
    "2025-03-03T09:15:00Z",
    [],
    [9],
    {},
]


def mutants(example: Example) -> Iterator[dict[str, Any]]:
    record = json.loads(example.payload)
    for field in record:
        yield {name: value for name, value in record.items() if name != field}
        yield from ({**record, field: junk} for junk in JUNK)


@pytest.mark.parametrize("topic", PUBLIC, ids=NAME)
def test_the_schema_agrees_with_the_decoder_on_each_field_replaced_by_junk(topic: Topic) -> None:
    check = validator(topic)
    for record in mutants(max((e for e in examples(topic) if e.reason is None), key=lambda e: len(e.payload))):
        accepted = not isinstance(judge(topic, json.dumps(record).encode()), Invalid)
        promised = check.is_valid(record)
        # derived records are written in UTC only, but times in any zone are decoded
        assert promised == accepted or (topic.role == "derived" and accepted), record


SCORES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 12),
    st.sampled_from([0.5, 7.5]),
    st.text("0123456789 -+.", max_size=3),
    st.sampled_from(["N/A", "٣", "10 "]),
)


@given(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["nps", "ces2", "ces1", "csat", "stars"])},
        optional={
            "score": SCORES,
            "state": st.sampled_from(["answered", "invited", "declined", "opened"]),
            "scale": st.sampled_from(["", "0-10", "1-7", "1-5", "0-11"]),
        },
    )
)
def test_the_schema_of_surveys_includes_the_checks_of_the_struct(fields: dict[str, Any]) -> None:
    record = {"event_id": "e", "record_id": "r", "time": "2025-03-03T09:15:00Z", "survey": "s", **fields}
    accepted = isinstance(EventDecoder(Survey).one(json.dumps(record).encode()), Survey)
    assert SURVEY_SCHEMA.is_valid(record) == accepted


SURVEY_SCHEMA = validator(SURVEYS)
DIGITS = st.integers(0, 99).map("{:02}".format)


@given(
    st.tuples(
        st.sampled_from(["2024-02-29", "2023-02-29", "2025-12-31", "0000-01-01", "2025-13-01"]),
        st.sampled_from(["T", " ", "t", "_", ""]),
        st.one_of(
            st.sampled_from(["09:15:00", "23:59:60", "24:00:00", "09:15"]),
            st.builds("{}:{}:{}".format, DIGITS, DIGITS, DIGITS),
        ),
        st.sampled_from(["", ".5", ".123456789", ".", ",5"]),
        st.one_of(
            st.sampled_from(["Z", "z", "", " Z", "+02", "-00:00", "+0530", "[UTC]"]),
            st.builds("+{}:{}".format, DIGITS, DIGITS),
        ),
    ).map("".join)
)
def test_the_schema_of_surveys_accepts_the_same_times_as_the_decoder(time: str) -> None:
    record = {**json.loads(good(SURVEYS)), "time": time}
    accepted = isinstance(EventDecoder(Survey).one(json.dumps(record).encode()), Survey)
    assert SURVEY_SCHEMA.is_valid(record) == accepted


def test_only_the_decoder_can_refuse_a_whole_number_written_with_a_fraction() -> None:
    record = {**json.loads(good(SURVEYS)), "score": 5.0}
    verdict = EventDecoder(Survey).one(json.dumps(record).encode())
    assert isinstance(verdict, Invalid)
    assert (verdict.reason, verdict.field) == ("wrong_type", "score")
    assert SURVEY_SCHEMA.is_valid(record)


def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((generate.FOLDER / generate.ASYNCAPI).read_text())
    return document


def test_the_asyncapi_document_states_key_and_retention_of_every_topic() -> None:
    channels = asyncapi()["channels"]
    assert list(channels) == [topic.name for topic in TOPICS]
    for topic in TOPICS:
        channel = channels[topic.name]
        assert channel["x-key"] == topic.key
        assert channel["x-retention-seconds"] == topic.retention_s
        assert channel["x-dead-letters"] == topic.dead_letters
        policy = channel["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"]
        assert policy == (["compact"] if topic.compacted else ["delete"])


def test_cxstream_receives_the_sources_and_sends_the_derived_records() -> None:
    document = asyncapi()
    received = {name for name, operation in document["operations"].items() if operation["action"] == "receive"}
    assert received == {topic.name for topic in SOURCE_TOPICS}
    assert set(document["operations"]) == {topic.name for topic in PUBLIC}


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi()
    references = list(references_in(document))
    assert references
    for reference in references:
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def references_in(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for name, child in node.items():
            if name == "$ref":
                yield child
            else:
                yield from references_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from references_in(child)


@pytest.fixture(scope="module")
def specification() -> dict[str, Any]:
    """The JSON Schema of AsyncAPI 3.0.0, fetched once with npm."""
    archive = CACHE / f"asyncapi-specs-{SPECS}.tgz"
    if not archive.exists():
        fetch(archive)
    with tarfile.open(archive) as files:
        member = files.extractfile("package/schemas/3.0.0.json")
        assert member is not None
        schema: dict[str, Any] = json.load(member)
    return schema


def fetch(archive: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: asyncapi.json was NOT checked against the specification; install npm")
    CACHE.mkdir(exist_ok=True)
    command = [npm, "pack", f"@asyncapi/specs@{SPECS}", "--silent", "--pack-destination", str(CACHE)]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if outcome.returncode or not archive.exists():
        pytest.skip(f"npm could not fetch the specification: asyncapi.json was NOT checked: {outcome.stderr[-300:]}")


@pytest.mark.io
def test_the_asyncapi_document_obeys_the_specification(specification: dict[str, Any]) -> None:
    check = Draft7Validator(specification)
    errors = [f"{error.json_path}: {error.message[:200]}" for error in check.iter_errors(asyncapi())]
    assert not errors
    assert not check.is_valid({**asyncapi(), "channels": {"cx.surveys.v1": {"adress": "cx.surveys.v1"}}})
