"""Cuts, and the cell of each that an event belongs to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.cells.cuts import DIMENSIONS, Cut, DimensionValues

VALUES = st.from_regex(r"[ab]([ab+]{0,3}[ab])?", fullmatch=True)

patient = settings(deadline=None)


@pytest.mark.parametrize(
    "text", ["", "totals", "total+channel", "channel+channel", "channel+", "Channel", "channel + team"]
)
def test_text_that_is_no_cut_is_refused_and_the_dimensions_are_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no cut; use total, or one or more of touchpoint, .*, source joined by"):
        Cut.parse(text)


def test_the_total_has_one_cell_also_for_an_event_without_dimensions() -> None:
    assert Cut.parse("total").cell(DimensionValues()) == "all"


@pytest.mark.parametrize("name", DIMENSIONS)
def test_the_cells_of_a_dimension_are_its_values_and_an_empty_value_has_no_cell(name: str) -> None:
    cut = Cut.parse(name)
    assert cut.cell(DimensionValues()._replace(**{name: "a+b"})) == "a+b"
    assert cut.cell(DimensionValues()._replace(**{name: ""})) is None


@pytest.mark.parametrize(
    ("dims", "cell"),
    [
        (DimensionValues(channel="web", team="x"), "web+x"),
        (DimensionValues(channel="a+b", team="c"), "a++b+c"),
        (DimensionValues(channel="a", team="b+c"), "a+b++c"),
        (DimensionValues(channel="web"), None),
        (DimensionValues(team="x"), None),
    ],
)
def test_a_cut_over_two_dimensions_joins_their_values_in_its_own_order(dims: DimensionValues, cell: str | None) -> None:
    assert Cut.parse("channel+team").cell(dims) == cell


@patient
@given(st.tuples(VALUES, VALUES), st.tuples(VALUES, VALUES))
def test_different_values_make_different_cells(one: tuple[str, str], other: tuple[str, str]) -> None:
    cut = Cut.parse("channel+team")
    same = cut.cell(DimensionValues(channel=one[0], team=one[1])) == cut.cell(
        DimensionValues(channel=other[0], team=other[1])
    )
    assert same == (one == other)
