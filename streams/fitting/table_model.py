"""The table model: who leaves, in terms of the columns of one table."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from streams.fitting.columns import Floats, Frame
from streams.fitting.factors import Product, TermGroup


class TableTerm(NamedTuple):
    """A product of factors with its coefficient on the scale of log-odds."""

    coefficient: float
    factors: Product


@dataclass(frozen=True)
class TableModel:
    """Log-odds = intercept + Σ coefficient · product of factors; groups without any weight are not in it.

    When the columns are features of the stream, `churn_model_writer` writes it as a churn model.
    """

    intercept: float
    groups: tuple[TermGroup, ...]
    coefficients: tuple[Floats, ...]

    def log_odds(self, frame: Frame) -> Floats:
        """The log-odds of leaving of each row of the frame."""
        rows = len(next(iter(frame.values())).missing())
        total = np.full(rows, self.intercept)
        for contribution in self.contributions(frame):
            total += contribution
        return total

    def contributions(self, frame: Frame) -> list[Floats]:
        """What each group adds to the log-odds of each row."""
        pairs = zip(self.groups, self.coefficients, strict=True)
        return [group.matrix(frame) @ coefficients for group, coefficients in pairs]

    def terms(self) -> list[TableTerm]:
        """Every term, those of one group together."""
        return [
            TableTerm(float(coefficient), product)
            for group, coefficients in zip(self.groups, self.coefficients, strict=True)
            for coefficient, product in zip(coefficients, group.products, strict=True)
        ]


def columns_by_strength(model: TableModel, frame: Frame) -> list[str]:
    """Columns by how far they move the log-odds (standard deviation); an interaction counts half for each column."""
    strength: dict[str, float] = {}
    for group, contribution in zip(model.groups, model.contributions(frame), strict=True):
        for name in group.columns:
            strength[name] = strength.get(name, 0.0) + float(contribution.std()) / len(group.columns)
    return sorted(strength, key=lambda name: -strength[name])
