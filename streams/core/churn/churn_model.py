"""The churn model: the risk that one customer leaves, as a logit over features that says how it came about."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TypeAlias

from streams.core.churn.features import EVIDENCE_CODES, HORIZON_MS, customer_features
from streams.core.churn.terms import Factor, Features, From, HalfLife, Missing, Ramp, Term, Weigher
from streams.core.events.entry import Entry
from streams.core.events.record_fields import UNKNOWN

PPM = 1_000_000

Contribution: TypeAlias = tuple[str, float, float]
"""What a term adds to a risk: its name, its weight 0…1, and its points, a difference in probability."""


@dataclass(frozen=True)
class Assessment:
    """A risk in parts per million, or None without evidence, with what it is made of.

    `base` plus all points is the risk. `coverage` is the share of the sources that there is evidence from. `value` is
    the yearly value of the customer in hundredths of the currency unit, `UNKNOWN` where no account says it.
    """

    ppm: int | None
    band: str
    base: float
    contributions: tuple[Contribution, ...]
    coverage: float
    value: int
    model: str
    horizon_days: int


@dataclass(frozen=True)
class ChurnModel:
    """Log-odds = intercept + Σ coefficient · product of factors; `medium` and `high` are the least risks of the bands.

    Points are the differences in probability as the terms are added one after the other, so they sum to the risk.
    """

    version: str
    horizon_days: int
    base_rate: float
    intercept: float
    medium: float
    high: float
    terms: tuple[Term, ...] = ()

    @cached_property
    def name(self) -> str:
        """The version and a digest of all that decides a risk, so that an edited model has another name."""
        parts = (self.horizon_days, self.intercept, self.medium, self.high)
        terms = [(term.coefficient, [_digested(factor) for factor in term.factors]) for term in self.terms]
        return f"{self.version}@{blake2b(repr((parts, terms)).encode(), digest_size=4).hexdigest()}"

    @cached_property
    def number(self) -> int:
        """A number of four bytes that stands for the name in the state."""
        return int.from_bytes(blake2b(self.name.encode(), digest_size=4).digest(), "big")

    @cached_property
    def base(self) -> float:
        """The risk without any term."""
        return logistic(self.intercept)

    def assess(self, entries: Iterable[Entry], at_ms: int, horizon_ms: int = HORIZON_MS) -> Assessment:
        """The risk as known at `at_ms`, from records up to then that are at most `horizon_ms` older."""
        evidence = customer_features(entries, at_ms, horizon_ms)
        coverage = len(evidence.sources & EVIDENCE_CODES) / len(EVIDENCE_CODES)
        cents = round(100 * evidence.features["yearly_value"]) if "yearly_value" in evidence.features else UNKNOWN
        if not evidence.is_evidence:
            return Assessment(None, "unknown", self.base, (), coverage, cents, self.name, self.horizon_days)
        contributions, risk = self.explain(evidence.features)
        return Assessment(
            round(risk * PPM), self.band(risk), self.base, contributions, coverage, cents, self.name, self.horizon_days
        )

    def explain(self, features: Features) -> tuple[tuple[Contribution, ...], float]:
        """The contributions of the terms that are not 0, and the risk 0…1."""
        contributions, log_odds, risk = [], self.intercept, self.base
        for name, coefficient, required_feature, weigh in self._compiled:
            if required_feature is not None and required_feature not in features:
                continue
            weight = weigh(features)
            if weight:
                log_odds += coefficient * weight
                before, risk = risk, logistic(log_odds)
                contributions.append((name, weight, risk - before))
        return tuple(contributions), risk

    def band(self, risk: float) -> str:
        """The name of the band that a risk 0…1 lies in."""
        return "high" if risk >= self.high else "medium" if risk >= self.medium else "low"

    @cached_property
    def _compiled(self) -> tuple[tuple[str, float, str | None, Weigher], ...]:
        return tuple((term.name, term.coefficient, term.required_feature, term.weigher()) for term in self.terms)


def _digested(factor: Factor) -> tuple[str, str, float, float]:
    """A factor as it enters the digest. Another form would rename every model, and state would be assessed anew."""
    match factor:
        case From(feature, at):
            return feature, "from", at, 0.0
        case Ramp(feature, low, high):
            return feature, "ramp", low, high
        case HalfLife(feature, days):
            return feature, "half_life", days, 0.0
        case Missing(feature):
            return feature, "missing", 0.0, 0.0


def logistic(log_odds: float) -> float:
    """Probability of log-odds, whatever their size.

    >>> logistic(0.0), round(logistic(-3.8918202981106265), 6), logistic(-1e6)
    (0.5, 0.02, 0.0)
    """
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    grown = math.exp(log_odds)
    return grown / (1.0 + grown)
