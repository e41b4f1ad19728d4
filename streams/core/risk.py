"""Churn risk of one customer from what the ledger keeps: transparent, additive, decayed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from streams.core.facts import ACCOUNT, CALL, OUTCOMES, STATES, SURVEY, TICKET, TICKET_CHANGES
from streams.core.ledger import Entry

DAY = 86_400_000
PPM = 1_000_000


@dataclass(frozen=True)
class Assessment:
    """Risk in parts per million, or None without evidence, with what it is made of.

    `base` plus all `points` is the risk; `coverage` is the share of kinds of evidence present.
    """

    ppm: int | None
    band: str
    base: float
    contributions: tuple[tuple[str, float, float], ...]
    coverage: float


class RiskModel(Protocol):
    """What a churn model must offer; a fitted one takes the place of the shipped one."""

    name: str
    horizon_days: int

    def assess(self, entries: Sequence[Entry], now: int) -> Assessment:
        """The risk as known at `now` (ms) from these records, none of them later."""
        ...


@dataclass(frozen=True)
class Feature:
    """One coefficient on the log-odds scale, and where it comes from."""

    name: str
    weight: float
    provenance: str


FEATURES = (
    Feature("detractor", 1.0, "assumption: a detractor's odds are 2.7 times a passive's; refit from your labels"),
    Feature("promoter", -0.7, "assumption: half the odds of a passive"),
    Feature("high_effort", 0.8, "assumption: CES 2.0 of 1-3, CES 1.0 of 4-5"),
    Feature("dissatisfied", 0.6, "assumption: CSAT of 1-2"),
    Feature("many_contacts", math.log(8.43721), "odds ratio of 4 and more service calls, public telecom churn table"),
    Feature("reopened", 0.5, "assumption: a ticket solved and opened again"),
    Feature("escalated", 0.5, "assumption"),
    Feature("abandoned", 0.3, "assumption: hung up in the queue"),
)
"""The shipped coefficients, in the order in which their points are told apart."""

BASE_LOG_ODDS = math.log(0.02 / 0.98)
"""Two in a hundred customers a month: an assumption to be refitted."""

HALF_LIFE = 14 * DAY
CONTACTS_STEP = 4
BANDS = ((0.15, "high"), (0.05, "medium"), (0.0, "low"))

_KINDS = (TICKET, CALL, SURVEY, ACCOUNT)
_ANSWERED = STATES.index("answered")
_OPENED, _ESCALATED, _REOPENED = (TICKET_CHANGES.index(c) for c in ("opened", "escalated", "reopened"))
_ABANDONED = OUTCOMES.index("abandoned")


class ShippedModel:
    """A logit with steps over decayed evidence, each coefficient with its provenance.

    Evidence loses half its weight in 14 days; of one kind only the strongest counts. Contacts act
    as a step: up to three within the horizon change nothing, four and more several times the odds.
    Points are the differences in probability as the features are switched on one after the other,
    so they add up to the risk by construction.
    """

    name = "shipped-1"
    horizon_days = 30

    def assess(self, entries: Sequence[Entry], now: int) -> Assessment:
        """The risk at `now` from records with times up to `now`."""
        known = [entry for entry in entries if entry.time <= now]
        kinds = {entry.facts[0] for entry in known}
        coverage = len(kinds.intersection(_KINDS)) / len(_KINDS)
        base = _logistic(BASE_LOG_ODDS)
        if not kinds.intersection((TICKET, CALL, SURVEY)):
            return Assessment(None, "unknown", base, (), coverage)
        values = _evidence(known, now, self.horizon_days)
        contributions, risk = [], base
        log_odds = BASE_LOG_ODDS
        for feature in FEATURES:
            value = values.get(feature.name, 0.0)
            if value:
                log_odds += feature.weight * value
                contributions.append((feature.name, value, _logistic(log_odds) - risk))
                risk = _logistic(log_odds)
        band = next(name for floor, name in BANDS if risk >= floor)
        return Assessment(round(risk * PPM), band, base, tuple(contributions), coverage)


def _evidence(entries: Sequence[Entry], now: int, horizon_days: int) -> dict[str, float]:
    values: dict[str, float] = {}
    contacts = 0
    for entry in entries:
        name = _signal(entry.facts)
        if name:
            weight = 0.5 ** ((now - entry.time) / HALF_LIFE)
            values[name] = max(values.get(name, 0.0), weight)
        if _is_contact(entry.facts) and entry.time > now - horizon_days * DAY:
            contacts += 1
    if contacts >= CONTACTS_STEP:
        values["many_contacts"] = 1.0
    return values


def _signal(facts: tuple[int, ...]) -> str | None:
    if facts[0] == SURVEY:
        return _answer_signal(facts[1], facts[3]) if facts[2] == _ANSWERED else None
    if facts[0] == TICKET:
        return {_ESCALATED: "escalated", _REOPENED: "reopened"}.get(facts[1])
    if facts[0] == CALL and facts[1] == _ABANDONED:
        return "abandoned"
    return None


def _answer_signal(kind: int, score: int) -> str | None:
    low = ((6, "detractor"), (3, "high_effort"), (-1, ""), (2, "dissatisfied"))
    if score <= low[kind][0]:
        return low[kind][1]
    if kind == 0 and score >= 9:
        return "promoter"
    return "high_effort" if kind == 2 and score >= 4 else None


def _is_contact(facts: tuple[int, ...]) -> bool:
    return facts[0] == CALL or (facts[0] == TICKET and facts[1] == _OPENED)


def _logistic(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))
