"""The factors of a table model: those of every model on numbers, one more on categories, and groups of products."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from streams.core.churn.terms import From, Missing, Ramp
from streams.fitting.columns import Categorical, Floats, Frame, Numeric


@dataclass(frozen=True)
class Is:
    """1 where a category has this value."""

    feature: str
    level: str

    def __str__(self) -> str:
        return f"{self.feature} = {self.level}"


ColumnFactor: TypeAlias = From | Ramp | Missing | Is
"""A factor of one column; its `feature` is the name of the column."""

Product: TypeAlias = tuple[ColumnFactor, ...]
"""The factors that a term multiplies; each factor, and so each product, lies in 0…1."""


@dataclass(frozen=True)
class TermGroup:
    """Products that enter and leave a model together: those of one column, or of one pair of columns."""

    columns: tuple[str, ...]
    products: tuple[Product, ...]

    def matrix(self, frame: Frame) -> Floats:
        """The value of each product in each row: rows × products."""
        values = {factor: factor_values(factor, frame) for product in self.products for factor in product}
        return np.column_stack([np.prod([values[factor] for factor in product], axis=0) for product in self.products])


def main_effects(column: str, factors: Sequence[ColumnFactor]) -> TermGroup:
    """The group of one column, one factor a product."""
    return TermGroup((column,), tuple((factor,) for factor in factors))


def factor_values(factor: ColumnFactor, frame: Frame) -> Floats:
    """The value of a factor in each row of the frame, 0…1."""
    match factor:
        case From(column, at):
            return (_numbers(frame, column) >= at).astype(np.float64)
        case Ramp(column, low, high):
            rise: Floats = np.clip((_numbers(frame, column) - low) / (high - low), 0.0, 1.0)
            return np.where(np.isnan(rise), 0.0, rise)
        case Missing(column):
            return frame[column].missing().astype(np.float64)
        case Is(column, level):
            return _has_level(frame, column, level)


def _numbers(frame: Frame, name: str) -> Floats:
    column = frame[name]
    return column.values if isinstance(column, Numeric) else np.full(len(column.codes), np.nan)


def _has_level(frame: Frame, name: str, level: str) -> Floats:
    column = frame[name]
    if not isinstance(column, Categorical) or level not in column.levels:
        return np.zeros(len(column.missing()))
    matches: Floats = (column.codes == column.levels.index(level)).astype(np.float64)
    return matches
