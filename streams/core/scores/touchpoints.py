"""Shared by the friction scores: one touchpoint compared with all the others."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from streams.core.scores.base import Accumulator, Result
from streams.core.scores.compared import CellName, ComparedScore, WindowPair, with_ranks


class FrictionScore(ComparedScore):
    """`n_t/N · (score of all other touchpoints − score of this one)`, with ranks: rank 1 is the first to improve.

    The total would rise by this much if the touchpoint were as good as the others together. Volume matters: a bad
    touchpoint with few answers has little friction.
    """

    comparison_group: ClassVar[str] = "friction"
    cuts: ClassVar[tuple[str, ...]] = ("touchpoint",)

    def comparison_input(self, accs: Mapping[int, Mapping[int, int]]) -> Accumulator:
        """The counts of answers, unchanged."""
        return dict(accs.get(self.reads[0].code, {}))

    def compare(self, cells: Mapping[CellName, WindowPair]) -> dict[CellName, Result]:
        """Every touchpoint with answers, compared with all others together; no result for the only touchpoint."""
        total = self.zero()
        for pair in cells.values():
            self.merge(total, pair.current)
        answers = sum(total.values())
        results: dict[CellName, Result] = {}
        for name, pair in cells.items():
            n = sum(pair.current.values())
            if 0 < n < answers:
                others = dict(total)
                self.retract(others, pair.current.items())
                results[name] = self.friction(pair.current, others, n / answers)
        return with_ranks(results)

    @abstractmethod
    def friction(self, own: Mapping[int, int], others: Mapping[int, int], share: float) -> Result:
        """The friction of one touchpoint with this share of all answers, compared with the others."""
