"""Churn risk of one customer: a logit over features, transparent, additive, unknown without evidence."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Literal

from streams.core.churn.features import EVIDENCE_CODES, HORIZON_MS, customer_features
from streams.core.events.entry import Entry
from streams.core.events.record_fields import UNKNOWN

PPM = 1_000_000

Transform = Literal["from", "ramp", "half_life", "missing"]
Features = Mapping[str, float]


@dataclass(frozen=True)
class Assessment:
    """Risk in parts per million, or None without evidence, with what it is made of.

    `base` plus all points is the risk; `coverage` is the share of kinds of evidence present. `value` is
    what the customer is worth a year in hundredths of the currency unit, `UNKNOWN` where no account says.
    """

    ppm: int | None
    band: str
    base: float
    contributions: tuple[tuple[str, float, float], ...]
    coverage: float
    value: int
    model: str
    horizon_days: int


@dataclass(frozen=True)
class Factor:
    """One feature brought into 0…1; 0 where the feature is not known, but for `missing`.

    `from`: 1 at `low` and above. `ramp`: rising in a straight line from 0 at `low` to 1 at `high`.
    `half_life`: `0.5 ** (value / low)`. `missing`: 1 where the feature is not known.

    >>> Factor("contacts", "from", 4.0).weigher()({"contacts": 5.0})
    1.0
    >>> Factor("days_since_detractor", "half_life", 14.0).weigher()({"days_since_detractor": 28.0})
    0.25
    """

    feature: str
    transform: Transform
    low: float = 0.0
    high: float = 0.0

    def weigher(self) -> Callable[[Features], float]:
        """The function from features to 0…1."""
        name, low, span = self.feature, self.low, self.high - self.low
        if self.transform == "missing":
            return lambda features: 0.0 if name in features else 1.0
        if self.transform == "from":
            return lambda features: 1.0 if features.get(name, -math.inf) >= low else 0.0
        if self.transform == "ramp":
            return lambda features: min(max((features.get(name, low) - low) / span, 0.0), 1.0)
        return lambda features: 0.5 ** (features[name] / low) if name in features else 0.0

    def __str__(self) -> str:
        if self.transform == "from":
            return f"{self.feature} ≥ {self.low:g}"
        if self.transform == "ramp":
            return f"{self.feature} {self.low:g}→{self.high:g}"
        return f"{self.feature} {self.transform}"


@dataclass(frozen=True)
class Term:
    """A product of factors with its coefficient on the log-odds scale, and where that comes from."""

    name: str
    coefficient: float
    factors: tuple[Factor, ...]
    provenance: str

    @property
    def needed(self) -> str | None:
        """A feature without which the term is 0."""
        return next((factor.feature for factor in self.factors if factor.transform != "missing"), None)

    def weigher(self) -> Callable[[Features], float]:
        """The function from features to 0…1."""
        weighers = [factor.weigher() for factor in self.factors]
        if len(weighers) == 1:
            return weighers[0]
        return lambda features: math.prod([weigh(features) for weigh in weighers])


@dataclass(frozen=True)
class Model:
    """Log-odds = intercept + Σ coefficient · Π factors; bands by the least risk of `high` and of `medium`.

    Points are the differences in probability as the terms are switched on one after the other, so
    they add up to the risk by construction.
    """

    version: str
    horizon_days: int
    base_rate: float
    intercept: float
    medium: float
    high: float
    terms: tuple[Term, ...] = field(default=())

    @cached_property
    def name(self) -> str:
        """The version and a digest of all that decides a risk: what is edited has another name."""
        parts = (self.horizon_days, self.intercept, self.medium, self.high)
        terms = [(t.coefficient, [(f.feature, f.transform, f.low, f.high) for f in t.factors]) for t in self.terms]
        return f"{self.version}@{blake2b(repr((parts, terms)).encode(), digest_size=4).hexdigest()}"

    @cached_property
    def number(self) -> int:
        """Four bytes that stand for the name."""
        return int.from_bytes(blake2b(self.name.encode(), digest_size=4).digest(), "big")

    @cached_property
    def base(self) -> float:
        """The risk with no term at all."""
        return logistic(self.intercept)

    def assess(self, entries: Iterable[Entry], at: int, horizon: int = HORIZON_MS) -> Assessment:
        """The risk as known at `at` (ms) from records up to then and at most `horizon` ms older."""
        evidence = customer_features(entries, at, horizon)
        coverage = len(evidence.sources & EVIDENCE_CODES) / len(EVIDENCE_CODES)
        cents = round(100 * evidence.features["yearly_value"]) if "yearly_value" in evidence.features else UNKNOWN
        if not evidence.is_evidence:
            return Assessment(None, "unknown", self.base, (), coverage, cents, self.name, self.horizon_days)
        contributions, risk = self.explain(evidence.features)
        return Assessment(
            round(risk * PPM), self.band(risk), self.base, contributions, coverage, cents, self.name, self.horizon_days
        )

    def explain(self, features: Features) -> tuple[tuple[tuple[str, float, float], ...], float]:
        """What each term that is not 0 contributes, as (name, weight 0…1, points), and the risk."""
        contributions, log_odds, risk = [], self.intercept, self.base
        for name, coefficient, needed, weigh in self._compiled:
            if needed is not None and needed not in features:
                continue
            weight = weigh(features)
            if weight:
                log_odds += coefficient * weight
                before, risk = risk, logistic(log_odds)
                contributions.append((name, weight, risk - before))
        return tuple(contributions), risk

    def band(self, risk: float) -> str:
        """The name of the band a risk 0…1 lies in."""
        return "high" if risk >= self.high else "medium" if risk >= self.medium else "low"

    @cached_property
    def _compiled(self) -> tuple[tuple[str, float, str | None, Callable[[Features], float]], ...]:
        return tuple((term.name, term.coefficient, term.needed, term.weigher()) for term in self.terms)


def logistic(log_odds: float) -> float:
    """Probability of log-odds, whatever their size.

    >>> logistic(0.0), round(logistic(-3.8918202981106265), 6), logistic(-1e6)
    (0.5, 0.02, 0.0)
    """
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    grown = math.exp(log_odds)
    return grown / (1.0 + grown)
