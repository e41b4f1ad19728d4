"""Scores that compare cells with each other, or a window with the time before it."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Accumulator, Result, Score, Slots

CellName = tuple[str, str]
"""Cut and cell."""

_ONLY_CELL: CellName = ("", "")


class WindowPair(NamedTuple):
    """The accumulators of one cell in a window and in the time before it."""

    current: Mapping[int, int]
    previous: Mapping[int, int]


class ComparedScore(Score):
    """A score of the cells of `cuts`, each compared with the others or with the time before the window.

    It counts no records itself. Stage 1 derives its accumulator from those of the scores it `reads`. The inputs of all
    cells go to one partition of stage 2, chosen by the name of the comparison group; scores that read the same inputs
    share a group. If `needs_previous_window` is set, `previous` holds the time right before the window, otherwise it
    is empty.
    """

    comparison_group: ClassVar[str]
    cuts: ClassVar[tuple[str, ...]]
    reads: tuple[Score, ...]
    needs_previous_window: ClassVar[bool] = False

    @abstractmethod
    def comparison_input(self, accs: Mapping[int, Mapping[int, int]]) -> Accumulator:
        """Its own accumulator, from those of the scores it reads by their codes.

        It is additive: the input of a sum is the sum of the inputs. No slot holds 0.
        """

    @abstractmethod
    def compare(self, cells: Mapping[CellName, WindowPair]) -> dict[CellName, Result]:
        """The results of one window in all its cells; cells with too little data for a comparison are left out."""

    def slots(self, fields: RecordFields) -> Slots:
        """The contribution of a record through the scores that this one reads."""
        accs: dict[int, Accumulator] = {}
        for score in self.reads:
            score.add(accs.setdefault(score.code, score.zero()), score.slots(fields))
        return tuple(self.comparison_input(accs).items())

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """The score of a cell without peers and without a previous window."""
        return self.compare({_ONLY_CELL: WindowPair(acc, self.zero())}).get(_ONLY_CELL)


def with_ranks(results: Mapping[CellName, Result]) -> dict[CellName, Result]:
    """The same results with `rank` among their counts: 1 for the highest value; equal values share a rank."""
    values = sorted((result.value for result in results.values() if result.value is not None), reverse=True)
    ranks: dict[float | None, int] = {value: rank for rank, value in reversed(list(enumerate(values, start=1)))}
    return {
        name: Result(r.value, r.lower, r.upper, r.n, {**r.counts, "rank": ranks[r.value]})
        for name, r in results.items()
    }
