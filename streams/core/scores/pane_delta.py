"""What is added to, or taken from, one pane."""

from streams.core.scores.base import Accumulator, Slots
from streams.core.time.lateness import NO_WATERMARK_MS


class PaneDelta:
    """Changes to the accumulators of one pane: how many, the newest event time (ms) by score code, and the counts.

    The counts are flat: the slots of all scores in one dictionary, as `contributions.py` lays them out. They may hold
    0, unlike those of a partial.
    """

    __slots__ = ("changes", "counts", "last")

    def __init__(self) -> None:
        self.changes = 0
        self.last: dict[int, int] = {}
        self.counts: Accumulator = {}

    def add(self, slots: Slots, codes: tuple[int, ...], time_ms: int, sign: int = 1, number: int = 1) -> None:
        """Add (or with sign -1 retract) a contribution to the scores with these codes, `number` times."""
        counts, last = self.counts, self.last
        self.changes += number
        for code in codes:
            if time_ms > last.get(code, NO_WATERMARK_MS):
                last[code] = time_ms
        for slot, amount in slots:
            counts[slot] = counts.get(slot, 0) + sign * number * amount
