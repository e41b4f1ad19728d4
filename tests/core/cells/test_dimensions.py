"""Combinations of dimension values have permanent numbers, and the number of cells is bounded."""

import pytest

from streams.core.cells.cuts import Cut
from streams.core.cells.dimensions import OTHER, Cell, Combination, DimensionRegistry

CUTS = tuple(map(Cut.parse, ("total", "channel", "team", "channel+team")))
Drained = tuple[int, Combination, list[Cell | None]]


def reloaded(drained: list[Drained], max_cells: int = 100) -> DimensionRegistry:
    """A registry restored from these records, in the given order."""
    fresh = DimensionRegistry(CUTS, max_cells)
    for number, combination, cells in drained:
        pairs = zip(combination.cells, cells, strict=True)
        fresh.load(number, combination.values, [None if n is None or c is None else (n, c) for n, c in pairs])
    return fresh


def names_of_cells(dimensions: DimensionRegistry, number: int) -> list[tuple[str, str]]:
    return [(dimensions.cells[cell].cut, dimensions.cells[cell].name) for cell in dimensions.cells_of(number)]


def test_only_the_dimensions_used_by_some_cut_are_registered() -> None:
    assert DimensionRegistry(CUTS, 100).fields == ("channel", "team")
    assert DimensionRegistry((Cut.parse("total"),), 100).fields == ()
    assert DimensionRegistry((Cut.parse("source+agent"),), 100).fields == ("agent", "source"), (
        "in the order of DIMENSIONS"
    )


def test_a_combination_is_in_one_cell_of_each_cut_for_which_it_has_values() -> None:
    dimensions = DimensionRegistry(CUTS, 100)
    assert names_of_cells(dimensions, dimensions.intern(("web", "x"))) == [
        ("total", "all"),
        ("channel", "web"),
        ("team", "x"),
        ("channel+team", "web+x"),
    ]
    assert names_of_cells(dimensions, dimensions.intern(("", "x"))) == [("total", "all"), ("team", "x")]
    assert names_of_cells(dimensions, dimensions.intern(("", ""))) == [("total", "all")]


def test_combinations_share_their_cells_and_keep_their_numbers() -> None:
    dimensions = DimensionRegistry(CUTS, 100)
    first, second = dimensions.intern(("web", "x")), dimensions.intern(("web", "y"))
    assert first != second
    assert dimensions.cells_of(first)[:2] == dimensions.cells_of(second)[:2]
    assert dimensions.intern(("web", "x")) == first
    assert len(dimensions.combinations) == 2


def test_beyond_the_bound_a_new_cell_is_replaced_by_the_other_cell_of_its_cut() -> None:
    dimensions = DimensionRegistry(CUTS, 4)
    dimensions.intern(("web", "x"))
    beyond = names_of_cells(dimensions, dimensions.intern(("shop", "x")))
    assert beyond == [("total", "all"), ("channel", OTHER), ("team", "x"), ("channel+team", OTHER)]
    assert dimensions.overflow == 2
    assert names_of_cells(dimensions, dimensions.intern(("phone", "y"))) == [
        ("total", "all"),
        ("channel", OTHER),
        ("team", OTHER),
        ("channel+team", OTHER),
    ]
    assert len(dimensions.cells) == 4 + 3, "the bound, and one other cell for each cut that needs one"
    assert names_of_cells(dimensions, dimensions.intern(("web", "x")))[1] == ("channel", "web"), "known cells stay"


def test_after_a_restart_every_number_and_cell_is_as_before_and_new_ones_follow() -> None:
    before = DimensionRegistry(CUTS, 4)
    numbers = {values: before.intern(values) for values in (("web", "x"), ("shop", ""), ("phone", "y"), ("", ""))}
    after = reloaded(before.drain(), max_cells=4)
    assert after.combinations == before.combinations
    assert after.cells == before.cells
    assert {values: after.intern(values) for values in numbers} == numbers
    assert after.drain() == []
    assert after.intern(("new", "new")) == len(numbers)
    assert names_of_cells(after, len(numbers))[1] == ("channel", OTHER)
    web = after.cells_of(numbers["web", "x"])[1]
    assert after.cells_of(after.intern(("web", "unseen")))[1] == web, "a known cell is not made again"


def test_only_new_combinations_are_drained() -> None:
    dimensions = DimensionRegistry(CUTS, 100)
    dimensions.intern(("web", ""))
    [(number, combination, cells)] = dimensions.drain()
    assert (number, combination.values) == (0, ("web", ""))
    assert cells == [Cell("total", "all"), Cell("channel", "web"), None, None]
    dimensions.intern(("web", ""))
    assert dimensions.drain() == []


def test_combinations_may_be_restored_in_any_order() -> None:
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
