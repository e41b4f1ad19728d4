"""What a score is: a mergeable accumulator of exact integers, and the result read from it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from streams.core.events.record_fields import RecordFields
from streams.core.statistics.intervals import Interval

Unit = Literal["points", "ratio", "scale", "seconds", "count"]
Accumulator = dict[int, int]
"""Slot → count, sparse: no slot ever holds 0, so equal contents are equal dictionaries."""

Slots = tuple[tuple[int, int], ...]
"""What one record contributes: (slot, amount) pairs, with slots below `SLOT_LIMIT`."""

SLOT_LIMIT = 65_536


@dataclass(frozen=True, slots=True)
class Result:
    """A score over some records: value and 95 % interval in its unit, n, and what n is made of.

    `value` is None where records were counted of which none tells it, `lower` and `upper` where n is too small
    for an interval. Values are rounded to 6 decimals.
    """

    value: float | None
    lower: float | None
    upper: float | None
    n: int
    counts: dict[str, int]


class Score(ABC):
    """One score; see `docs/semantics.md` for what each of them counts.

    `code` stands for the score inside state: it is permanent, and never given to another score.
    Accumulators form a commutative group, so that panes can be added and taken away in any order.
    """

    name: str
    unit: Unit
    code: int
    source: int | None = None
    """The only source (as in facts.py) whose records it counts, so that it is not asked about others; None for any."""

    derived: bool = False
    """Whether it counts what was made of a customer's records (cases, assessments), not records themselves."""
    at_end: bool = False
    """Whether a replay can tell it only at the end of the data, not at an earlier boundary."""

    @abstractmethod
    def slots(self, facts: RecordFields) -> Slots:
        """What a record contributes; empty where this score does not count it."""

    @abstractmethod
    def result(self, acc: Mapping[int, int]) -> Result | None:
        """The score of what was accumulated; None where that is nothing."""

    def zero(self) -> Accumulator:
        """A new, empty accumulator."""
        return {}

    def add(self, acc: Accumulator, slots: Slots) -> None:
        """Count a record, in place."""
        _shift(acc, slots, 1)

    def retract(self, acc: Accumulator, slots: Slots) -> None:
        """Take back a record counted before, in place; exactly undoes `add`."""
        _shift(acc, slots, -1)

    def merge(self, acc: Accumulator, other: Mapping[int, int]) -> None:
        """Count everything in `other` too, in place."""
        _shift(acc, other.items(), 1)


class StockScore(Score):
    """A score that knows not only what happened in a window but how things stood at its end.

    What it counts is also summed up over all time, so that `level` holds everything up to the end of the
    window, the window itself included: take `acc` away from it for how things stood at the start. A slot
    holds as many as were counted; what leaves is counted in another slot than what comes.
    """

    @abstractmethod
    def result_at(self, acc: Mapping[int, int], level: Mapping[int, int]) -> Result | None:
        """The score of a window that holds `acc`, of everything up to its end; None where there is nothing to show."""

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """The score of a window before which there was nothing."""
        return self.result_at(acc, acc)


def _shift(acc: Accumulator, slots: Iterable[tuple[int, int]], sign: int) -> None:
    for slot, amount in slots:
        count = acc.get(slot, 0) + sign * amount
        if count:
            acc[slot] = count
        else:
            acc.pop(slot, None)


def rounded(value: float, interval: Interval | None, n: int, counts: dict[str, int]) -> Result:
    """Make a result with 6 decimals, and without a negative zero."""
    if interval is None:
        return Result(_round(value), None, None, n, counts)
    return Result(_round(value), _round(interval[0]), _round(interval[1]), n, counts)


def clamped(interval: Interval | None, lowest: float, highest: float) -> Interval | None:
    """Cut an interval off at the ends of the scale."""
    return None if interval is None else (max(interval[0], lowest), min(interval[1], highest))


def _round(value: float) -> float:
    return round(value, 6) + 0.0
