"""Spans: which durations are accepted, and which panes a window of that length is made of."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.time.spans import Span, parse_span
from tests.reference.windows import resolution_of, span_ms

SPANS = st.tuples(st.integers(1, 5_000), st.sampled_from(("0s", "m", "min", "h", "d"))).map(lambda s: f"{s[0]}{s[1]}")

patient = settings(deadline=None)


@patient
@given(SPANS)
def test_a_duration_and_its_panes_agree_with_the_oracle(text: str) -> None:
    span = parse_span(text)
    assert span == Span(span_ms(text) // 1000, text)
    assert span.resolution_s * 1000 == resolution_of(span_ms(text))
    assert span.seconds % span.resolution_s == 0


@pytest.mark.parametrize(
    ("text", "resolution_s"),
    [
        ("10s", 10),
        ("1h", 10),
        ("3610s", 10),
        ("65m", 300),
        ("24h", 300),
        ("25h", 3600),
        ("1505m", 300),
        ("90010s", 10),
        ("30d", 3600),
    ],
)
def test_panes_are_as_coarse_as_the_length_allows(text: str, resolution_s: int) -> None:
    assert parse_span(text).resolution_s == resolution_s


@pytest.mark.parametrize(
    "text", ["", "5", "5x", "-5m", "0s", "05m", "1.5h", "5 m", "5m\n", "٣m", "1e3s", "1234567890d"]
)
def test_text_that_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration: .*; write for example 60s, 5m, 24h or 30d"):
        parse_span(text)


@pytest.mark.parametrize("wrong", [5, None, 5.0, ["5m"]])
def test_a_value_that_is_no_text_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_span(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["5s", "15s", "61s"])
def test_a_duration_that_is_no_multiple_of_the_finest_pane_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"{text} is not a multiple of 10 s, the finest pane"):
        parse_span(text)
