"""Scores that compare: cells with each other, and a window with the time before it."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Accumulator, Result, Score, Slots

CellName = tuple[str, str]
"""Cut and cell."""

_ALONE: CellName = ("", "")


class WindowPair(NamedTuple):
    """What one cell has in a window, and in the time before it."""

    current: Mapping[int, int]
    previous: Mapping[int, int]


class ComparedScore(Score):
    """A score of the cells of `cuts`, each seen against the others or against the time before.

    It counts no records of its own: what it needs is gathered from the accumulators of the scores it
    `reads`, and what was gathered of all cells comes together in one place, which `meeting` names; scores
    that read of the same records share one. Where `looks_back` is set,
    `before` holds the time right before the window; otherwise nothing.
    """

    comparison_group: ClassVar[str]
    cuts: ClassVar[tuple[str, ...]]
    reads: tuple[Score, ...]
    needs_previous_window: ClassVar[bool] = False

    @abstractmethod
    def comparison_input(self, accs: Mapping[int, Mapping[int, int]]) -> Accumulator:
        """Its own accumulator from those of the scores it reads, by their codes.

        What is gathered of a sum is the sum of what is gathered, and no slot holds 0.
        """

    @abstractmethod
    def compare(self, cells: Mapping[CellName, WindowPair]) -> dict[CellName, Result]:
        """The results of one window in all its cells; a cell of which nothing can be said is left out."""

    def slots(self, facts: RecordFields) -> Slots:
        """What a record contributes by way of the scores it reads."""
        accs: dict[int, Accumulator] = {}
        for score in self.reads:
            score.add(accs.setdefault(score.code, {}), score.slots(facts))
        return tuple(self.comparison_input(accs).items())

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """The score of a cell that has no peers and no past."""
        return self.compare({_ALONE: WindowPair(acc, {})}).get(_ALONE)


def ranked(results: Mapping[CellName, Result]) -> dict[CellName, Result]:
    """The same results with `rank` among their counts: 1 for the highest value, equal values sharing one."""
    values = sorted((result.value for result in results.values() if result.value is not None), reverse=True)
    ranks: dict[float | None, int] = {value: rank for rank, value in reversed(list(enumerate(values, start=1)))}
    return {
        name: Result(r.value, r.lower, r.upper, r.n, {**r.counts, "rank": ranks[r.value]})
        for name, r in results.items()
    }
