"""Labels are written as text in state and on topics, and read back as what they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import CALLS, REKEYED, SURVEYS
from streams.core.events.source_label import ASSESSMENT_LABEL, DERIVED_LABEL, DERIVED_LABELS, SourceLabel

TOPICS = (SURVEYS.name, CALLS.name, ASSESSMENT_LABEL, DERIVED_LABEL)
GROUPS = ("", "friction", "speed_guard")


@given(st.sampled_from(TOPICS), st.sampled_from(GROUPS))
def test_a_label_is_read_back_from_its_text(topic: str, group: str) -> None:
    for label in (SourceLabel(topic, group=group), SourceLabel(REKEYED.name, topic, group)):
        assert SourceLabel.parse(label.text) == label


@pytest.mark.parametrize(
    ("text", "source_topic", "is_derived"),
    [
        ("cx.surveys.v1", "cx.surveys.v1", False),
        ("cx.rekeyed.v1/cx.surveys.v1", "cx.surveys.v1", False),
        ("friction/cx.rekeyed.v1/cx.surveys.v1", "cx.surveys.v1", False),
        ("cases", "cases", True),
        ("cx.risk.v1", "cx.risk.v1", True),
        ("speed_guard/cases", "cases", False),
    ],
)
def test_a_label_tells_its_source_and_whether_its_records_are_derived(
    text: str, source_topic: str, is_derived: bool
) -> None:
    label = SourceLabel.parse(text)
    assert (label.source_topic, label.is_derived) == (source_topic, is_derived)


def test_the_texts_are_permanent_because_state_and_topics_hold_them() -> None:
    assert DERIVED_LABELS == ("cx.risk.v1", "cases")
    assert SourceLabel(REKEYED.name, SURVEYS.name).text == "cx.rekeyed.v1/cx.surveys.v1"
    assert SourceLabel(SURVEYS.name).for_group("friction").text == "friction/cx.surveys.v1"
