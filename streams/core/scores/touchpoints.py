"""What the friction scores share: one touchpoint against all the others."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from streams.core.scores.base import Accumulator, Result
from streams.core.scores.compared import CellName, ComparedScore, WindowPair, ranked


class FrictionScore(ComparedScore):
    """`n_t/N · (score of all other touchpoints − score of this one)`, ranked: the highest is the first to mend.

    So much would the total rise if this touchpoint were as good as the others together. Volume counts: a
    bad touchpoint that few pass has little friction.
    """

    comparison_group: ClassVar[str] = "friction"
    cuts: ClassVar[tuple[str, ...]] = ("touchpoint",)

    def comparison_input(self, accs: Mapping[int, Mapping[int, int]]) -> Accumulator:
        """The answers, as they are."""
        return dict(accs.get(self.reads[0].code, {}))

    def compare(self, cells: Mapping[CellName, WindowPair]) -> dict[CellName, Result]:
        """Every touchpoint that has answers against all others together; nothing where it is the only one."""
        total: Accumulator = {}
        for sides in cells.values():
            self.merge(total, sides.current)
        everything = sum(total.values())
        results: dict[CellName, Result] = {}
        for name, sides in cells.items():
            n = sum(sides.current.values())
            if 0 < n < everything:
                others = {slot: count - sides.current.get(slot, 0) for slot, count in total.items()}
                results[name] = self.against(sides.current, others, n / everything)
        return ranked(results)

    @abstractmethod
    def against(self, own: Mapping[int, int], others: Mapping[int, int], share: float) -> Result:
        """One touchpoint that has this share of all answers, against the others."""
