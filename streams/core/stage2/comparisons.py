"""Compared scores in stage 2: the cells that each of them compares, and their results."""

from collections.abc import Callable, Collection, Iterator, Mapping

from schemas.score import Score as ScoreRecord
from streams.core.scores import ComparedScore, Result
from streams.core.scores.compared import CellName, WindowPair
from streams.core.scores.comparison_groups import COMPARED_SCORES, COMPARISON_GROUPS
from streams.core.scores.contributions import score_accumulator
from streams.core.stage2.cell_state import CellState
from streams.core.stage2.results import ResultHeader, Window, result_revision, score_record, should_publish


class Comparisons:
    """The cells that have inputs of each compared score.

    All inputs of a comparison group are in one partition, so a comparison sees all its cells. It is computed anew as a
    whole, because the change of one cell can change the rank or the peers of every other one. Incremental updates were
    rejected: each score would need its own, while now a comparison is a plain function of all cells.
    """

    def __init__(self) -> None:
        self._cells: dict[str, set[CellName]] = {name: set() for name in COMPARED_SCORES}

    def add_cell(self, group: str, name: CellName) -> None:
        """Note that a cell has inputs of a comparison group."""
        for score in COMPARISON_GROUPS.get(group, ()):
            self._cells[score.name].add(name)

    def restore(self, score: str, name: CellName) -> None:
        """Note that a score was published for a cell before a restart; other scores than compared ones are ignored."""
        if score in self._cells:
            self._cells[score].add(name)

    def cells_of(self, score: ComparedScore) -> list[CellName]:
        """The cells that a score compares, in a fixed order."""
        return sorted(self._cells[score.name])

    def affected(self, changed: Collection[tuple[CellName, int]]) -> Iterator[tuple[ComparedScore, int]]:
        """The comparisons to compute anew, as score and window index, after these cells changed in these windows."""
        for score in COMPARED_SCORES.values():
            names = self._cells[score.name]
            for index in sorted({index for name, index in changed if name in names}):
                yield score, index


def comparison_records(
    score: ComparedScore,
    cells: Mapping[CellName, CellState],
    owner_of: Callable[[CellName], str | None],
    window: Window,
    *,
    final: bool,
) -> Iterator[ScoreRecord]:
    """The records to publish for a compared score in this window; they are noted as published."""
    results = comparison_results(score, cells, window) if cells else {}
    for name, cell in cells.items():
        result = results.get(name)
        if should_publish(cell, window.index, score, result, always=final):
            final_n = result.n if final and result else None
            revision = result_revision(score, list(cells.values()), window, final_n)
            yield score_record(ResultHeader(name, owner_of(name), revision, final), cell, window, score, result)


def comparison_results(
    score: ComparedScore, cells: Mapping[CellName, CellState], window: Window
) -> dict[CellName, Result]:
    """The results of a compared score in this window; cells without counts take no part."""
    pairs = {
        name: WindowPair(
            score_accumulator(score.code, cell.sums[window.current.sum_index]),
            score_accumulator(score.code, cell.sums[window.previous.sum_index]),
        )
        for name, cell in cells.items()
    }
    return score.compare({name: pair for name, pair in pairs.items() if pair.current or pair.previous})
