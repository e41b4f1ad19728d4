"""Cuts and cells: the values of which dimensions a score is computed for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class DimensionValues(NamedTuple):
    """What an event says about where it belongs; empty where it says nothing."""

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
    """One way to cut the whole: `total`, a dimension, or several joined by "+"."""

    name: str
    fields: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> "Cut":
        """Read a cut; raises `ValueError` naming the dimensions there are.

        >>> Cut.parse("touchpoint+channel").cell(Dims("checkout", "web"))
        'checkout+web'
        """
        if text == "total":
            return cls(text, ())
        names = text.split("+")
        unknown = [name for name in names if name not in DIMENSIONS]
        if unknown or len(set(names)) < len(names):
            raise ValueError(f"{text!r} is no cut; use total, or one or more of {', '.join(DIMENSIONS)} joined by +")
        return cls(text, tuple(DIMENSIONS.index(name) for name in names))

    def cell(self, dims: Sequence[str]) -> str | None:
        """The cell of this cut an event belongs to; None where it lacks one of the dimensions.

        Cut `total` has the one cell `all`. A "+" inside a value is written "++".
        """
        if not self.fields:
            return "all"
        values = [dims[field] for field in self.fields]
        if not all(values):
            return None
        return values[0] if len(values) == 1 else "+".join(value.replace("+", "++") for value in values)

    def values(self, cell: str) -> tuple[str, ...] | None:
        """The values a cell of this cut was made of; None where it is not made of as many (as `(other)`).

        >>> Cut.parse("team+queue").values("A++B+loans")
        ('A+B', 'loans')
        """
        if len(self.fields) < 2:
            return (cell,) * len(self.fields)
        values = tuple(part.replace("\0", "+") for part in cell.replace("++", "\0").split("+"))
        return values if len(values) == len(self.fields) else None
