"""Combinations of dimensions have numbers that never change, and cells that are bounded."""

import pytest

from streams.core.cells.cuts import Cut
from streams.core.cells.dimensions import OTHER, Cell, Combination, DimensionRegistry

CUTS = tuple(map(Cut.parse, ("total", "channel", "team", "channel+team")))
Drained = tuple[int, Combination, list[Cell | None]]


def reloaded(drained: list[Drained], max_cells: int = 100) -> DimensionRegistry:
    """Dimensions as they come back from these records, whatever their order."""
    fresh = DimensionRegistry(CUTS, max_cells)
    for number, combination, cells in drained:
        pairs = zip(combination.cells, cells, strict=True)
        fresh.load(number, combination.values, [None if n is None or c is None else (n, c) for n, c in pairs])
    return fresh


def names(dimensions: DimensionRegistry, number: int) -> list[tuple[str, str]]:
    return [(dimensions.cells[cell].cut, dimensions.cells[cell].name) for cell in dimensions.cells_of(number)]


def test_only_the_dimensions_of_some_cut_are_told_apart() -> None:
    assert DimensionRegistry(CUTS, 100).fields == ("channel", "team")
    assert DimensionRegistry((Cut.parse("total"),), 100).fields == ()
    assert DimensionRegistry((Cut.parse("source+agent"),), 100).fields == ("agent", "source"), (
        "in the order of DIMENSIONS"
    )


def test_a_combination_is_in_one_cell_of_each_cut_it_has_values_for() -> None:
    dimensions = DimensionRegistry(CUTS, 100)
    assert names(dimensions, dimensions.intern(("web", "x"))) == [
        ("total", "all"),
        ("channel", "web"),
        ("team", "x"),
        ("channel+team", "web+x"),
    ]
    assert names(dimensions, dimensions.intern(("", "x"))) == [("total", "all"), ("team", "x")]
    assert names(dimensions, dimensions.intern(("", ""))) == [("total", "all")]


def test_combinations_share_their_cells_and_keep_their_numbers() -> None:
    dimensions = DimensionRegistry(CUTS, 100)
    first, second = dimensions.intern(("web", "x")), dimensions.intern(("web", "y"))
    assert first != second
    assert dimensions.cells_of(first)[:2] == dimensions.cells_of(second)[:2]
    assert dimensions.intern(("web", "x")) == first
    assert len(dimensions.combinations) == 2


def test_what_exceeds_the_bound_is_counted_in_the_other_cell_of_its_cut() -> None:
    dimensions = DimensionRegistry(CUTS, 4)
    dimensions.intern(("web", "x"))
    beyond = names(dimensions, dimensions.intern(("shop", "x")))
    assert beyond == [("total", "all"), ("channel", OTHER), ("team", "x"), ("channel+team", OTHER)]
    assert dimensions.overflow == 2
    assert names(dimensions, dimensions.intern(("phone", "y"))) == [
        ("total", "all"),
        ("channel", OTHER),
        ("team", OTHER),
        ("channel+team", OTHER),
    ]
    assert len(dimensions.cells) == 4 + 3, "the bound, and one other cell for each cut that needs one"
    assert names(dimensions, dimensions.intern(("web", "x")))[1] == ("channel", "web"), "known cells stay"


def test_after_a_restart_every_number_and_cell_is_as_before_and_new_ones_follow() -> None:
    before = DimensionRegistry(CUTS, 4)
    numbers = {values: before.intern(values) for values in (("web", "x"), ("shop", ""), ("phone", "y"), ("", ""))}
    after = reloaded(before.drain(), max_cells=4)
    assert after.combinations == before.combinations
    assert after.cells == before.cells
    assert {values: after.intern(values) for values in numbers} == numbers
    assert after.drain() == []
    assert after.intern(("new", "new")) == len(numbers)
    assert names(after, len(numbers))[1] == ("channel", OTHER)
    web = after.cells_of(numbers["web", "x"])[1]
    assert after.cells_of(after.intern(("web", "unseen")))[1] == web, "a known cell is not made again"


def test_only_what_is_new_is_drained() -> None:
    dimensions = DimensionRegistry(CUTS, 100)
    dimensions.intern(("web", ""))
    [(number, combination, cells)] = dimensions.drain()
    assert (number, combination.values) == (0, ("web", ""))
    assert cells == [Cell("total", "all"), Cell("channel", "web"), None, None]
    dimensions.intern(("web", ""))
    assert dimensions.drain() == []


def test_checkpoints_may_come_back_one_by_one() -> None:
    before = DimensionRegistry(CUTS, 100)
    before.intern(("web", "x"))
    early = before.drain()
    before.intern(("shop", "x"))
    fresh = reloaded([*before.drain(), *early])
    assert fresh.combinations == before.combinations
    assert fresh.cells == before.cells


@pytest.mark.parametrize("values", [("web",), ("web", "x", "y")])
def test_values_must_be_those_of_the_fields(values: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="argument"):
        DimensionRegistry(CUTS, 100).intern(values)
