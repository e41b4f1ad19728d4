"""The parts of a model of who leaves: factors of one feature, and terms that multiply them.

A churn model, which a worker reads, and a table model, which describes one table, are built from the same parts:
log-odds = intercept + Σ coefficient · product of factors. In a table model the features are the table's columns.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Features: TypeAlias = Mapping[str, float]
"""The known features of one customer by name; an unknown feature is absent."""

Weigher: TypeAlias = Callable[[Features], float]
"""From features to a weight 0…1."""


@dataclass(frozen=True)
class From:
    """1 where the feature is `at` or more; 0 below, and where the feature is unknown.

    >>> From("contacts", 4.0).weigher()({"contacts": 5.0})
    1.0
    """

    feature: str
    at: float

    def weigher(self) -> Weigher:
        """The function from features to 0 or 1."""
        name, at = self.feature, self.at
        return lambda features: 1.0 if features.get(name, -math.inf) >= at else 0.0

    def __str__(self) -> str:
        return f"{self.feature} ≥ {self.at:g}"


@dataclass(frozen=True)
class Ramp:
    """0 up to `low`, rising in a straight line to 1 at `high` and beyond; 0 where the feature is unknown.

    >>> Ramp("silence_days", 2.0, 14.0).weigher()({"silence_days": 5.0})
    0.25
    """

    feature: str
    low: float
    high: float

    def weigher(self) -> Weigher:
        """The function from features to 0…1."""
        name, low, span = self.feature, self.low, self.high - self.low
        return lambda features: min(max((features.get(name, low) - low) / span, 0.0), 1.0)

    def __str__(self) -> str:
        return f"{self.feature} {self.low:g}→{self.high:g}"


@dataclass(frozen=True)
class HalfLife:
    """1 at 0, half of it every `days`; 0 where the feature is unknown.

    >>> HalfLife("days_since_detractor", 14.0).weigher()({"days_since_detractor": 28.0})
    0.25
    """

    feature: str
    days: float

    def weigher(self) -> Weigher:
        """The function from features to 0…1."""
        name, days = self.feature, self.days
        return lambda features: 0.5 ** (features[name] / days) if name in features else 0.0

    def __str__(self) -> str:
        return f"{self.feature} half_life"


@dataclass(frozen=True)
class Missing:
    """1 where the feature is unknown."""

    feature: str

    def weigher(self) -> Weigher:
        """The function from features to 0 or 1."""
        name = self.feature
        return lambda features: 0.0 if name in features else 1.0

    def __str__(self) -> str:
        return f"{self.feature} missing"


Factor: TypeAlias = From | Ramp | HalfLife | Missing


@dataclass(frozen=True)
class Term:
    """A product of factors with its coefficient on the scale of log-odds, and the source of the coefficient."""

    name: str
    coefficient: float
    factors: tuple[Factor, ...]
    provenance: str

    @property
    def required_feature(self) -> str | None:
        """A feature without which the term is 0, if there is one."""
        return next((factor.feature for factor in self.factors if not isinstance(factor, Missing)), None)

    def weigher(self) -> Weigher:
        """The function from features to 0…1."""
        weighers = [factor.weigher() for factor in self.factors]
        if len(weighers) == 1:
            return weighers[0]
        return lambda features: math.prod([weigh(features) for weigh in weighers])


def product_text(factors: Iterable[object]) -> str:
    """The factors of a term as text.

    >>> product_text([From("contacts", 4.0), Missing("yearly_value")])
    'contacts ≥ 4 × yearly_value missing'
    """
    return " × ".join(map(str, factors))
