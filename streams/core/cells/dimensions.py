"""Numbers for combinations of dimension values and for cells; the number of cells is bounded."""

from collections.abc import Sequence

import msgspec

from streams.core.cells.cuts import DIMENSIONS, Cut

OTHER = "(other)"
"""The cell of a cut that counts everything beyond the bound on cells."""

_OVERHEAD_BYTES = 16


class Combination(msgspec.Struct, array_like=True, frozen=True):
    """One combination of dimension values, and the number of its cell in each cut (None where it has none)."""

    values: tuple[str, ...]
    cells: tuple[int | None, ...]


class Cell(msgspec.Struct, array_like=True, frozen=True):
    """One cell: the name of its cut, and its name within the cut."""

    cut: str
    name: str


class DimensionRegistry:
    """Numbers for the combinations and cells of one source partition; a number never changes its meaning.

    Combinations differ only in `fields`, the dimensions that some cut uses. `overflow` counts the cells that were
    replaced by `(other)`. `pending_bytes` estimates the size in a checkpoint of the combinations added since the last
    `drain`.
    """

    def __init__(self, cuts: Sequence[Cut], max_cells: int) -> None:
        used = {position for cut in cuts for position in cut.positions}
        self._positions = tuple(sorted(used))
        self.fields = tuple(DIMENSIONS[position] for position in self._positions)
        self.combinations: list[Combination] = []
        self.cells: list[Cell] = []
        self.overflow = 0
        self.pending_bytes = 0
        self._cuts = cuts
        self._max_cells = max_cells
        self._ids: dict[tuple[str, ...], int] = {}
        self._cell_ids: dict[Cell, int] = {}
        self._new: list[int] = []

    def intern(self, values: tuple[str, ...]) -> int:
        """The number of a combination of values of `fields`; a new combination gets the next one."""
        known = self._ids.get(values)
        return known if known is not None else self._add(values)

    def cells_of(self, number: int) -> tuple[int, ...]:
        """The numbers of the cells that a combination belongs to."""
        return tuple(cell for cell in self.combinations[number].cells if cell is not None)

    def drain(self) -> list[tuple[int, Combination, list[Cell | None]]]:
        """The combinations added since the last call: number, combination, and its cells in full."""
        new, self._new, self.pending_bytes = self._new, [], 0
        return [(n, self.combinations[n], self._cells_in_full(self.combinations[n])) for n in new]

    def load(self, number: int, values: tuple[str, ...], cells: Sequence[tuple[int, Cell] | None]) -> None:
        """Restore one combination from the changelog; the order of calls does not matter."""
        self.combinations.extend([Combination((), ())] * (number + 1 - len(self.combinations)))
        self.combinations[number] = Combination(values, tuple(c and c[0] for c in cells))
        self._ids[values] = number
        for cell in filter(None, cells):
            self._load_cell(*cell)

    def _load_cell(self, number: int, cell: Cell) -> None:
        self.cells.extend([Cell("", "")] * (number + 1 - len(self.cells)))
        self.cells[number] = cell
        self._cell_ids[cell] = number

    def _cells_in_full(self, combination: Combination) -> list[Cell | None]:
        return [None if cell is None else self.cells[cell] for cell in combination.cells]

    def _add(self, values: tuple[str, ...]) -> int:
        full = [""] * len(DIMENSIONS)
        for position, value in zip(self._positions, values, strict=True):
            full[position] = value
        cells = tuple(self._cell(cut, cut.cell(full)) for cut in self._cuts)
        number = self._ids[values] = len(self.combinations)
        self.combinations.append(Combination(values, cells))
        self._new.append(number)
        texts = [*values, *(f"{self.cells[cell].cut}{self.cells[cell].name}" for cell in cells if cell is not None)]
        self.pending_bytes += sum(len(text.encode()) + _OVERHEAD_BYTES for text in texts) + _OVERHEAD_BYTES
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
