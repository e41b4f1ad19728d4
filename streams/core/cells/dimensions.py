"""Interned combinations of dimensions and the cells they belong to; bounded, and what exceeds is named."""

from collections.abc import Sequence

import msgspec

from streams.core.cells.cuts import DIMENSIONS, Cut

OTHER = "(other)"
"""The cell of a cut that takes what exceeds the bound on cells."""


_OVERHEAD = 16


class Combination(msgspec.Struct, array_like=True, frozen=True):
    """One combination of values, and its cell in each cut (None where it has none)."""

    values: tuple[str, ...]
    cells: tuple[int | None, ...]


class Cell(msgspec.Struct, array_like=True, frozen=True):
    """One cell: the name of its cut and its own."""

    cut: str
    name: str


class DimensionRegistry:
    """Numbers for the combinations and cells of one source partition; a number never changes.

    Only the dimensions that some cut uses are told apart. `pending_bytes` is roughly what the new
    combinations since the last drain take in a checkpoint.
    """

    def __init__(self, cuts: Sequence[Cut], max_cells: int) -> None:
        used = {field for cut in cuts for field in cut.fields}
        self.fields = tuple(name for index, name in enumerate(DIMENSIONS) if index in used)
        self.combinations: list[Combination] = []
        self.cells: list[Cell] = []
        self.overflow = 0
        self.pending_bytes = 0
        self._positions = tuple(index for index in range(len(DIMENSIONS)) if index in used)
        self._cuts = cuts
        self._max_cells = max_cells
        self._ids: dict[tuple[str, ...], int] = {}
        self._cell_ids: dict[Cell, int] = {}
        self._new: list[int] = []

    def intern(self, values: tuple[str, ...]) -> int:
        """The number of a combination of values of `fields`."""
        known = self._ids.get(values)
        return known if known is not None else self._add(values)

    def cells_of(self, number: int) -> tuple[int, ...]:
        """The cells a combination counts in."""
        return tuple(cell for cell in self.combinations[number].cells if cell is not None)

    def drain(self) -> list[tuple[int, Combination, list[Cell | None]]]:
        """New combinations since the last call, with their cells spelled out."""
        new, self._new, self.pending_bytes = self._new, [], 0
        return [(n, self.combinations[n], self._spell(self.combinations[n])) for n in new]

    def load(self, number: int, values: tuple[str, ...], cells: Sequence[tuple[int, Cell] | None]) -> None:
        """Take back one combination from the changelog."""
        self.combinations.extend([Combination((), ())] * (number + 1 - len(self.combinations)))
        self.combinations[number] = Combination(values, tuple(c and c[0] for c in cells))
        self._ids[values] = number
        for cell in filter(None, cells):
            self._load_cell(*cell)

    def _load_cell(self, number: int, cell: Cell) -> None:
        self.cells.extend([Cell("", "")] * (number + 1 - len(self.cells)))
        self.cells[number] = cell
        self._cell_ids[cell] = number

    def _spell(self, combination: Combination) -> list[Cell | None]:
        return [None if cell is None else self.cells[cell] for cell in combination.cells]

    def _add(self, values: tuple[str, ...]) -> int:
        full = [""] * len(DIMENSIONS)
        for position, value in zip(self._positions, values, strict=True):
            full[position] = value
        cells = tuple(self._cell(cut, cut.cell(full)) for cut in self._cuts)
        number = self._ids[values] = len(self.combinations)
        self.combinations.append(Combination(values, cells))
        self._new.append(number)
        spelled = [*values, *(f"{self.cells[cell].cut}{self.cells[cell].name}" for cell in cells if cell is not None)]
        self.pending_bytes += sum(len(text.encode()) + _OVERHEAD for text in spelled) + _OVERHEAD
        return number

    def _cell(self, cut: Cut, name: str | None) -> int | None:
        if name is None:
            return None
        known = self._cell_ids.get(Cell(cut.name, name))
        if known is not None:
            return known
        if len(self.cells) >= self._max_cells:
            self.overflow += 1
            name = OTHER
        return self._cell_ids.setdefault(Cell(cut.name, name), self._new_cell(Cell(cut.name, name)))

    def _new_cell(self, cell: Cell) -> int:
        if cell in self._cell_ids:
            return self._cell_ids[cell]
        self.cells.append(cell)
        return len(self.cells) - 1
