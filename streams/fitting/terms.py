"""What a model is made of: factors of one column, and terms that multiply one or two of them."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from streams.fitting.columns import Category, Floats, Frame, Numeric


@dataclass(frozen=True)
class From:
    """1 where a number is `at` or more, 0 elsewhere and where it is missing."""

    column: str
    at: float

    def values(self, frame: Frame) -> Floats:
        """One value for each row."""
        return (_numbers(frame, self.column) >= self.at).astype(np.float64)

    def __str__(self) -> str:
        return f"{self.column} ≥ {self.at:g}"


@dataclass(frozen=True)
class Ramp:
    """0 up to `low`, rising in a straight line to 1 at `high` and beyond; 0 where the number is missing."""

    column: str
    low: float
    high: float

    def values(self, frame: Frame) -> Floats:
        """One value for each row."""
        rise: Floats = np.clip((_numbers(frame, self.column) - self.low) / (self.high - self.low), 0.0, 1.0)
        return np.where(np.isnan(rise), 0.0, rise)

    def __str__(self) -> str:
        return f"{self.column} {self.low:g}→{self.high:g}"


@dataclass(frozen=True)
class Is:
    """1 where a category has this value."""

    column: str
    level: str

    def values(self, frame: Frame) -> Floats:
        """One value for each row."""
        column = frame[self.column]
        if not isinstance(column, Category) or self.level not in column.levels:
            return np.zeros(len(column.missing()))
        found: Floats = (column.codes == column.levels.index(self.level)).astype(np.float64)
        return found

    def __str__(self) -> str:
        return f"{self.column} = {self.level}"


@dataclass(frozen=True)
class Missing:
    """1 where the column has no value."""

    column: str

    def values(self, frame: Frame) -> Floats:
        """One value for each row."""
        return frame[self.column].missing().astype(np.float64)

    def __str__(self) -> str:
        return f"{self.column} missing"


Factor: TypeAlias = From | Ramp | Is | Missing
Term: TypeAlias = tuple[Factor, ...]
"""The product of its factors; each factor and so each term lies in 0…1."""


@dataclass(frozen=True)
class Block:
    """Terms that come and go together: those of one column, or of one pair of columns."""

    columns: tuple[str, ...]
    terms: tuple[Term, ...]

    def matrix(self, frame: Frame) -> Floats:
        """Rows × terms."""
        values = {factor: factor.values(frame) for term in self.terms for factor in term}
        return np.column_stack([np.prod([values[factor] for factor in term], axis=0) for term in self.terms])


def term_text(term: Term) -> str:
    """A term as one reads it."""
    return " × ".join(map(str, term))


def _numbers(frame: Frame, name: str) -> Floats:
    column = frame[name]
    return column.values if isinstance(column, Numeric) else np.full(len(column.codes), np.nan)
