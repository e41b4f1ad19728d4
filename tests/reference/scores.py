"""Each score from a plain list of facts, by the textbook."""

import math
import statistics
from collections import Counter
from collections.abc import Callable

from tests.reference import calls, tickets
from tests.reference.cases import CASE, FLOW
from tests.reference.summary import Facts, Summary, mean, share

__all__ = ["SUMMARIES", "Facts", "Summary"]

SURVEY, RISK, BAND, MEMBER = 2, 4, 7, 8
NPS, CES2, CES1, CSAT = range(4)
ANSWERED = 2
TRANSACTIONAL, RELATIONSHIP = 0, 1


def answers(records: list[Facts], kind: int, *programs: int) -> list[int]:
    return [f[3] for f in records if f[0] == SURVEY and f[1] == kind and f[2] == ANSWERED and f[4] in programs]


def nps(scores: list[int]) -> Summary | None:
    if not scores:
        return None
    worth = [100 if score >= 9 else -100 if score <= 6 else 0 for score in scores]
    counts = {"promoters": worth.count(100), "passives": worth.count(0), "detractors": worth.count(-100)}
    weights = {100: worth.count(100) + 0.75, 0: worth.count(0) + 1.5, -100: worth.count(-100) + 0.75}
    total = sum(weights.values())
    middle = sum(x * w for x, w in weights.items()) / total
    variance = sum(w * (x - middle) ** 2 for x, w in weights.items()) / total
    half = statistics.NormalDist().inv_cdf(0.975) * math.sqrt(variance / total)
    return Summary(statistics.fmean(worth), max(-100.0, middle - half), min(100.0, middle + half), len(worth), counts)


def each(scores: list[int], low: int, high: int) -> dict[str, int]:
    return {str(answer): scores.count(answer) for answer in range(low, high + 1)}


def ces2(records: list[Facts]) -> Summary | None:
    scores = answers(records, CES2, TRANSACTIONAL, RELATIONSHIP)
    return mean(scores, 1, 7, each(scores, 1, 7))


def ces2_easy(records: list[Facts]) -> Summary | None:
    scores = answers(records, CES2, TRANSACTIONAL, RELATIONSHIP)
    return share(len([s for s in scores if s >= 5]), len(scores), "easy")


def ces1(records: list[Facts]) -> Summary | None:
    scores = answers(records, CES1, TRANSACTIONAL, RELATIONSHIP)
    return mean(scores, 1, 5, each(scores, 1, 5))


def csat(records: list[Facts]) -> Summary | None:
    scores = answers(records, CSAT, TRANSACTIONAL, RELATIONSHIP)
    return share(len([s for s in scores if s >= 4]), len(scores), "satisfied")


def response_rate(records: list[Facts]) -> Summary | None:
    states = [f[2] for f in records if f[0] == SURVEY]
    return share(states.count(ANSWERED), len(states), "answered")


def churn_risk(records: list[Facts]) -> Summary | None:
    risks = [f[1] for f in records if f[0] == RISK]
    high = len([f for f in records if f[0] == RISK and f[2]])
    return mean(risks, 0.0, 1.0, {"high": high, "sum_ppm": sum(risks)}, unit=1_000_000)


def churn_risk_high(records: list[Facts]) -> Summary | None:
    bands = [f[2] for f in records if f[0] == RISK]
    return share(bands.count(1), len(bands), "high")


def band_changes(records: list[Facts], into_high: int) -> Summary | None:
    n = records.count((BAND, into_high))
    return Summary(n, None, None, n, {"changes": n}) if n else None


def revenue_at_risk(records: list[Facts]) -> Summary | None:
    risks = [f for f in records if f[0] == RISK]
    values = [f[3] for f in risks if f[3] != -1]
    cents = [f[3] for f in risks if f[3] != -1 and f[2]]
    counts = {
        "high": len(cents),
        "cents": sum(cents),
    }
    return Summary(sum(cents) / 100, None, None, len(values), counts) if values else None


SUMMARIES: dict[str, Callable[[list[Facts]], Summary | None]] = {
    "nps": lambda records: nps(answers(records, NPS, TRANSACTIONAL)),
    "nps_relationship": lambda records: nps(answers(records, NPS, RELATIONSHIP)),
    "ces2": ces2,
    "ces2_easy": ces2_easy,
    "ces1": ces1,
    "csat": csat,
    "response_rate": response_rate,
    "churn_risk": churn_risk,
    "churn_risk_high": churn_risk_high,
    "newly_at_risk": lambda records: band_changes(records, 1),
    "recovered": lambda records: band_changes(records, 0),
    "revenue_at_risk": revenue_at_risk,
    "offered": calls.offered,
    "abandonment": calls.abandonment,
    "speed_of_answer": calls.speed_of_answer,
    "service_level": calls.service_level,
    "handle_time": calls.handle_time,
    "transfers": calls.transfers,
    "short_calls": calls.short_calls,
    "first_reply_time": tickets.first_reply_time,
    "first_resolution_time": tickets.first_resolution_time,
    "full_resolution_time": tickets.full_resolution_time,
    "first_reply_time_business": lambda records: tickets.first_reply_time(records, 1),
    "first_resolution_time_business": lambda records: tickets.first_resolution_time(records, 1),
    "full_resolution_time_business": lambda records: tickets.full_resolution_time(records, 1),
    "reopened": tickets.reopened,
    "escalated": tickets.escalated,
    "autonomy": tickets.autonomy,
    "repeat_contact": tickets.repeat_contact,
}


def churn_rate(records: list[Facts], ever: Counter[Facts]) -> Summary | None:
    before = {what: ever[MEMBER, what] - records.count((MEMBER, what)) for what in (0, 1)}
    active = before[0] - before[1]
    left = records.count((MEMBER, 1)) - records.count((MEMBER, 2))
    return share(min(max(left, 0), active), active, "left") if active > 0 else None


LEVELS: dict[str, Callable[[list[Facts], Counter[Facts]], Summary | None]] = {
    "backlog": tickets.backlog,
    "churn_rate": churn_rate,
}
"""Scores that also need what there was before the window: all of `is_level` up to its end."""


def is_level(facts: Facts) -> bool:
    """Whether levels are made of it."""
    return facts[:2] == (CASE, FLOW) or facts[0] == MEMBER
