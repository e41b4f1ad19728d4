"""Mappings that are valid, and those that are refused with a message that names the key and the fix."""

import re
from pathlib import Path

import pytest

from streams.errors import MappingError
from streams.importing.mapping import DropRule, FieldMapping, InventedCustomers, Mapping
from streams.importing.mapping_files import bundled_mappings, load_mapping

SURVEY = """
topic = "cx.surveys.v1"
time_format = "iso"
[fields]
record_id = "id"
time = "at"
survey = { value = "after-call" }
kind = { value = "nps" }
scale = { value = "0-10" }
score = "score"
"""
CALL = """
topic = "cx.calls.v1"
[fields]
time = "at"
outcome = "outcome"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["servicenow", "bank-calls", "telco-nps"])
def test_a_bundled_mapping_is_found_by_its_name(name: str) -> None:
    assert name in bundled_mappings()
    assert load_mapping(name).name == name


def test_another_mapping_is_found_by_its_path_and_named_after_its_file(tmp_path: Path) -> None:
    assert load_mapping(write(tmp_path, SURVEY)).name == "mine"


def test_an_unknown_name_is_answered_with_the_bundled_names() -> None:
    with pytest.raises(MappingError, match=r"zendsek: no such mapping.*servicenow"):
        load_mapping("zendsek")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('topic = "cx.surveys.v1"', 'topic = "cx.survey.v1"', r"topic: .*did you mean 'cx.surveys.v1'"),
        ('topic = "cx.surveys.v1"', "", r"missing required field `topic`"),
        ('topic = "cx.surveys.v1"', 'topic = "cx.surveys.v1"\nzone = "Mars/Olympus"', r"zone: .*not an IANA time zone"),
        ('topic = "cx.surveys.v1"', 'topic = "cx.surveys.v1"\nencoding = "utf-7000"', r"encoding: .*unknown"),
        ('topic = "cx.surveys.v1"', 'topic = "cx.surveys.v1"\ncolour = 1', r"unknown field `colour`"),
        ('topic = "cx.surveys.v1"', 'topic = "cx.surveys.v1"\nfold = "third"', r"fold: Invalid enum value"),
        ('"iso"', '"%d/%m/%Y %H:%M"', r"zone: .*no offset.*zone = "),
        ('"iso"', '"DD/MM/YYYY"', r"fields.time.format: 'DD/MM/YYYY' is not a time format"),
        ('"iso"', '"%Q"', r"fields.time.format: "),
        ('time = "at"', "", r"fields.time: missing"),
        ('score = "score"', 'scores = "score"', r"fields.scores: .*did you mean 'score'"),
        ('score = "score"', 'score = { colum = "score" }', r"fields.score: .*unknown field `colum`"),
        ('score = "score"', 'score = { join = "-" }', r"fields.score: give exactly one of .*has none"),
        ('score = "score"', 'score = { column = "a", columns = ["b"] }', r"fields.score: .*column and columns"),
        ('score = "score"', 'score = { column = "a", unit = "ms" }', r"fields.score.unit: only a duration"),
        ('score = "score"', "score = { value = 9 }", r"fields.score: .*cannot be a constant"),
        ('value = "nps" }', 'value = "npz" }', r"fields.kind.value: 'npz' does not fit kind"),
        (
            'value = "nps" }',
            'value = "nps" }\nstate = { column = "s", values = { y = "anwsered" } }',
            r"fields.state.values.y: 'anwsered' does not fit state",
        ),
        ('value = "nps" }', 'value = "nps" }\nstate = { column = "s", otherwise = "gone" }', r"fields.state.otherwise"),
        ('time = "at"', 'time = { value = "2024-01-01" }', r"fields.time: .*cannot be a constant"),
        ('time = "at"', 'time = { begin = "a", end = "b" }', r"fields.time.end: "),
        ('time = "at"', 'time = { latest = ["a"] }', r"fields.time.latest: needs date and begin"),
        ('time = "at"', 'time = { latest = ["a"], date = "d", begin = "b" }', r"fields.time.format: latest needs"),
        (
            'time = "at"',
            'time = { latest = ["a"], date = "d", begin = "b", format = "%H:%M" }',
            r"time.format: .*no day",
        ),
        ('score = "score"', 'score = { cases = [{ column = "a" }, { column = "b" }] }', r"cases\[0\].when: missing"),
        (
            'score = "score"',
            'score = "score"\ncustomer = "c"\n[customers]\ninvent = 5',
            r"customers: .*remove one of the two",
        ),
        ('score = "score"', 'score = "score"\n[customers]\ninvent = 0', r"customers.invent: "),
        ('score = "score"', 'score = "score"\n[[drop]]\nreason = "x"', r"missing required field `where`"),
    ],
)
def test_an_invalid_key_is_refused_by_its_name(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in SURVEY
    path = write(tmp_path, SURVEY.replace(before, after, 1))
    with pytest.raises(MappingError, match=message) as refused:
        load_mapping(path)
    assert str(refused.value).startswith(f"{path}: ")


@pytest.mark.parametrize("text", ["", "[fields]", "fields = 3", "topic = "])
def test_a_text_that_is_not_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(MappingError):
        load_mapping(write(tmp_path, text))


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ('"0-10"', '"1-5"', "fields.scale"),
        ('scale = { value = "0-10" }', "", "fields.scale"),
        (
            'score = "score"',
            'score = { column = "stars", values = { 1 = 0, 2 = 3, 3 = 5, 4 = 8, 5 = 10 } }',
            "fields.score",
        ),
        ('score = "score"', 'score = { column = "stars", values = { "5 stars" = 10 } }', "fields.score"),
        ('score = "score"', 'score = { column = "face", values = { happy = 10 } }', "fields.score"),
        ('score = "score"', 'score = { cases = [{ column = "s", values = { 5 = 10 } }] }', "fields.score.cases"),
    ],
)
def test_nps_mapped_from_stars_is_refused(tmp_path: Path, before: str, after: str, key: str) -> None:
    assert before in SURVEY
    with pytest.raises(MappingError, match=key):
        load_mapping(write(tmp_path, SURVEY.replace(before, after)))


def test_a_label_that_contains_its_number_may_become_the_number(tmp_path: Path) -> None:
    labels = 'score = { column = "s", values = { "10 - extremely likely" = 10, "0: not at all" = 0 } }'
    assert load_mapping(write(tmp_path, SURVEY.replace('score = "score"', labels))).fields


def test_a_duration_is_a_number_with_a_unit_or_the_time_between_two_columns(tmp_path: Path) -> None:
    good = CALL + 'wait = { column = "w", unit = "ms" }\ntalk = { begin = "a", end = "b", format = "%H:%M:%S" }\n'
    assert load_mapping(write(tmp_path, good)).fields
    with pytest.raises(MappingError, match=r"fields.wait.end: .*needs both begin and end"):
        load_mapping(write(tmp_path, CALL + 'wait = { end = "b" }\n'))
    with pytest.raises(MappingError, match="zone: "):
        load_mapping(write(tmp_path, CALL + 'wait = { begin = "a", end = "b", format = "%d.%m.%Y %H:%M" }\n'))


def test_the_example_in_the_documentation_is_a_valid_mapping(tmp_path: Path) -> None:
    document = (Path(__file__).parents[2] / "docs" / "importing.md").read_text()
    [shown] = re.findall(r"^```toml\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    assert len(load_mapping(write(tmp_path, shown)).fields["change"].cases) == 3


def test_the_documentation_names_every_key() -> None:
    document = (Path(__file__).parents[2] / "docs" / "importing.md").read_text()
    parts = (Mapping, FieldMapping, InventedCustomers, DropRule)
    keys = {key for part in parts for key in part.__struct_fields__} - {"origin"}
    assert [key for key in sorted(keys) if f"`{key}`" not in document and f"`{key} =" not in document] == []
