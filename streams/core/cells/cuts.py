"""Cuts: the dimensions by which events are divided into cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class DimensionValues(NamedTuple):
    """The dimension values of an event; empty where the event has none."""

    touchpoint: str = ""
    channel: str = ""
    team: str = ""
    agent: str = ""
    queue: str = ""
    segment: str = ""
    audience: str = "external"
    source: str = ""


DIMENSIONS = DimensionValues._fields


@dataclass(frozen=True)
class Cut:
    """One way to divide events into cells: `total`, a dimension, or several joined by "+".

    `positions` are the indices of its dimensions in `DIMENSIONS`.
    """

    name: str
    positions: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> "Cut":
        """Read a cut; raises `ValueError` naming the known dimensions.

        >>> Cut.parse("touchpoint+channel").cell(DimensionValues("checkout", "web"))
        'checkout+web'
        """
        if text == "total":
            return cls(text, ())
        names = text.split("+")
        unknown = [name for name in names if name not in DIMENSIONS]
        if unknown or len(set(names)) < len(names):
            raise ValueError(f"{text!r} is no cut; use total, or one or more of {', '.join(DIMENSIONS)} joined by +")
        return cls(text, tuple(DIMENSIONS.index(name) for name in names))

    def cell(self, dimension_values: Sequence[str]) -> str | None:
        """The cell of this cut that an event belongs to; None if one of the dimensions is empty.

        The cut `total` has the single cell `all`. A "+" inside a value is written "++".
        """
        if not self.positions:
            return "all"
        values = [dimension_values[position] for position in self.positions]
        if not all(values):
            return None
        return values[0] if len(values) == 1 else "+".join(value.replace("+", "++") for value in values)

    def values(self, cell: str) -> tuple[str, ...] | None:
        """The dimension values of a cell of this cut; None for a cell without them, such as `(other)`.

        >>> Cut.parse("team+queue").values("A++B+loans")
        ('A+B', 'loans')
        """
        if len(self.positions) < 2:
            return (cell,) * len(self.positions)
        values = tuple(part.replace("\0", "+") for part in cell.replace("++", "\0").split("+"))
        return values if len(values) == len(self.positions) else None
