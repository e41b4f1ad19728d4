"""What levels are made of, up to any time: counted once, however many windows ask."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from tests.reference.events import Event
from tests.reference.summary import Facts

Ever = dict[str, Counter[Facts]]
"""How often each facts were counted, by cell."""


class Levels:
    """Of one width of panes; `records` are in the order of their times, `cell` names a record's cell in a cut."""

    def __init__(
        self, cuts: Sequence[str], records: Sequence[tuple[Event, Facts]], cell: Callable[[str, Event], str | None]
    ) -> None:
        self._cuts, self._records, self._cell = cuts, records, cell
        self._end, self._next = -(2**60), 0
        self._ever: dict[str, Ever] = {cut: defaultdict(Counter) for cut in cuts}

    def until(self, end: int) -> dict[str, Ever]:
        """By cut, all that was counted before `end` (ms)."""
        if end < self._end:
            self._next, self._ever = 0, {cut: defaultdict(Counter) for cut in self._cuts}
        self._end = end
        while self._next < len(self._records) and self._records[self._next][0].time < end:
            event, facts = self._records[self._next]
            self._next += 1
            for cut in self._cuts:
                cell = self._cell(cut, event)
                if cell is not None:
                    self._ever[cut][cell][facts] += 1
        return self._ever
