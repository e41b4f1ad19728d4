"""The interface of a score: a mergeable accumulator of exact integers, and the result computed from it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from streams.core.events.record_fields import RecordFields
from streams.core.statistics.intervals import Interval

Unit = Literal["points", "ratio", "scale", "seconds", "count"]
Accumulator = dict[int, int]
"""Slot → count. A slot with count 0 is left out, so equal counts are equal dictionaries."""

Slots = tuple[tuple[int, int], ...]
"""The contribution of one record: (slot, amount) pairs, with slots below `SLOT_LIMIT`."""

SLOT_LIMIT = 65_536


@dataclass(frozen=True, slots=True)
class Result:
    """A score over some records: value and 95 % interval in its unit, n, and the counts that n is made up of.

    `value` is None if none of the counted records has what the value is computed from, `lower` and `upper` also if n is
    too small for an interval or the score has none. Values are rounded to 6 decimals.
    """

    value: float | None
    lower: float | None
    upper: float | None
    n: int
    counts: dict[str, int]


class Score(ABC):
    """One score; `docs/semantics.md` defines what each of them counts.

    `code` identifies the score in state and never changes or is given to another score. Accumulators form a
    commutative group: panes can be added and subtracted in any order.
    """

    name: str
    unit: Unit
    code: int
    source: int | None = None
    """Code of the only source or kind of derived record that it counts; None if it counts several."""

    derived: bool = False
    """Whether it counts derived records (ticket milestones, contacts, assessments …), not records of a source."""

    at_end: bool = False
    """Whether a replay can publish it only at the end of the data, not at an earlier boundary."""

    @abstractmethod
    def slots(self, fields: RecordFields) -> Slots:
        """The contribution of a record; empty if the score does not count it."""

    @abstractmethod
    def result(self, acc: Mapping[int, int]) -> Result | None:
        """The score of an accumulator; None for an empty one."""

    def zero(self) -> Accumulator:
        """A new, empty accumulator."""
        return {}

    def add(self, acc: Accumulator, slots: Iterable[tuple[int, int]]) -> None:
        """Count a record, in place."""
        _shift(acc, slots, 1)

    def retract(self, acc: Accumulator, slots: Iterable[tuple[int, int]]) -> None:
        """Remove a record counted before, in place; the exact inverse of `add`."""
        _shift(acc, slots, -1)

    def merge(self, acc: Accumulator, other: Mapping[int, int]) -> None:
        """Add the counts of another accumulator, in place."""
        _shift(acc, other.items(), 1)


class StockScore(Score):
    """A score of a stock, such as open tickets or customers, which depends on all records since the beginning.

    Stage 1 therefore also sums its counts over all time, and `result_at` receives them up to the end of the window.
    Arrivals and departures are counted in different slots: the stock at the end is their difference over all time, and
    the stock at the start is that less the counts of the window itself.
    """

    @abstractmethod
    def result_at(self, acc: Mapping[int, int], stock_at_end: Mapping[int, int]) -> Result | None:
        """The score of a window with the counts `acc`; None if there is no result.

        `stock_at_end` are the counts since the beginning up to the end of the window, including those of the window.
        """

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """The score of a window with no records before it."""
        return self.result_at(acc, acc)


def _shift(acc: Accumulator, slots: Iterable[tuple[int, int]], sign: int) -> None:
    for slot, amount in slots:
        count = acc.get(slot, 0) + sign * amount
        if count:
            acc[slot] = count
        else:
            acc.pop(slot, None)


def rounded(value: float, interval: Interval | None, n: int, counts: dict[str, int]) -> Result:
    """A result rounded to 6 decimals, with 0.0 for a negative zero."""
    if interval is None:
        return Result(_round(value), None, None, n, counts)
    return Result(_round(value), _round(interval[0]), _round(interval[1]), n, counts)


def clamped(interval: Interval | None, lowest: float, highest: float) -> Interval | None:
    """The part of an interval that lies on the scale."""
    return None if interval is None else (max(interval[0], lowest), min(interval[1], highest))


def _round(value: float) -> float:
    return round(value, 6) + 0.0
