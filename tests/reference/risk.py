"""The churn risk of a customer by the shipped model, from a plain list of what is known."""

import math

from tests.reference.scores import Facts

DAY = 86_400_000
TICKET, CALL, SURVEY, ACCOUNT = range(4)
Known = list[tuple[int, Facts]]
"""Time (ms) and facts, oldest first."""
Risk = tuple[int, bool, int]
"""Parts per million, whether the band is high, and the customer's value in cents or -1."""

WEIGHTS = {
    "detractor": 1.0,
    "promoter": -0.7,
    "high_effort": 0.8,
    "dissatisfied": 0.6,
    "many_contacts": math.log(8.43721),
    "reopened": 0.5,
    "escalated": 0.5,
    "unresolved": 0.4,
    "abandoned": 0.3,
    "long_wait": 0.2,
    "transferred": 0.2,
    "silence": 0.2,
    "long_tenure": -0.3,
}


def shipped_risk(known: Known, at: int, horizon: int = 31 * DAY) -> Risk | None:
    """None where there is no evidence, or the customer has left."""
    recent = [(time, facts) for time, facts in known if at - horizon <= time <= at]
    accounts = [facts for time, facts in known if facts[0] == ACCOUNT and time <= at]
    if (accounts and accounts[-1][1] == 2) or not [f for _, f in recent if f[0] != ACCOUNT]:
        return None
    strengths = answers(recent, at) | calls(recent, at) | tickets(known, recent, at, at - horizon)
    strengths |= {"many_contacts": float(len([t for t in contacts(recent) if t > at - 30 * DAY]) >= 4)}
    strengths |= {"silence": quiet(recent, at), "long_tenure": tenure(known, at)}
    risk = 1 / (1 + math.exp(-math.log(0.02 / 0.98) - sum(WEIGHTS[name] * strengths[name] for name in WEIGHTS)))
    values = [facts[2] for facts in accounts if facts[2] != -1]
    return round(risk * 1_000_000), risk >= 0.15, values[-1] if values else -1


def halved(times: list[int], at: int) -> float:
    return max((0.5 ** ((at - time) / DAY / 14) for time in times), default=0.0)


def risen(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)


def answers(recent: Known, at: int) -> dict[str, float]:
    given = [(time, facts[1], facts[3]) for time, facts in recent if facts[0] == SURVEY and facts[2] == 2]
    hard = [t for t, kind, score in given if (kind == 1 and score <= 3) or (kind == 2 and score >= 4)]
    return {
        "detractor": halved([t for t, kind, score in given if kind == 0 and score <= 6], at),
        "promoter": halved([t for t, kind, score in given if kind == 0 and score >= 9], at),
        "high_effort": halved(hard, at),
        "dissatisfied": halved([t for t, kind, score in given if kind == 3 and score <= 2], at),
    }


def calls(recent: Known, at: int) -> dict[str, float]:
    inbound = [(time, facts) for time, facts in recent if facts[0] == CALL and facts[2] == 0]
    waits = [facts[3] / 1000 for _, facts in inbound if 0 <= facts[3] <= 24 * 3_600_000]
    return {
        "abandoned": halved([time for time, facts in inbound if facts[1] == 1], at),
        "long_wait": risen(max(waits, default=0.0), 120, 600),
        "transferred": float(sum(facts[7] for _, facts in inbound if facts[7] > 0) >= 2),
    }


def contacts(recent: Known) -> list[int]:
    legs: dict[object, list[int]] = {}
    for place, (time, facts) in enumerate(recent):
        if facts[0] == CALL and facts[2] == 0:
            legs.setdefault(facts[8] if len(facts) > 8 else f"alone {place}", []).append(time)
    return [min(times) for times in legs.values()] + [t for t, f in recent if f[0] == TICKET and f[1] == 0]


def tickets(known: Known, recent: Known, at: int, floor: int) -> dict[str, float]:
    ages, reopenings = [], list[int]()
    for number in {facts[7] for _, facts in known if facts[0] == TICKET}:
        own = [(t, f) for t, f in known if f[0] == TICKET and f[7] == number and t <= at]
        own.sort(key=lambda change: (change[0], change[1][1] in (6, 7, 8), change[1]))
        again = [place for place in range(len(own)) if own[place][1][1] == 5 or grew([f for _, f in own[: place + 1]])]
        done = [place for place, (_, f) in enumerate(own) if f[1] in (6, 7, 8)]
        reopenings += [own[place][0] for place in again if own[place][0] >= floor]
        if own and own[-1][0] >= floor and (not done or max(again, default=-1) > done[-1]):
            first, opened = own[0][0], own[0][1][2]
            ages.append((at - (opened if -1 < opened <= first else first)) / DAY)
    return {
        "reopened": halved(reopenings, at),
        "escalated": halved([time for time, facts in recent if facts[0] == TICKET and facts[1] == 4], at),
        "unresolved": risen(max(ages, default=0.0), 2, 14),
    }


def grew(changes: list[Facts]) -> bool:
    """Whether the last change of a ticket counts more reopenings than were counted or named before it."""
    most = 0
    for facts in changes[:-1]:
        most = max(facts[5], most + (facts[1] == 5))
    return len(changes) > 1 and changes[-1][5] > most


def quiet(recent: Known, at: int) -> float:
    answered = [time for time, facts in recent if facts[0] == SURVEY and facts[2] == 2]
    called = [time for time, facts in recent if facts[0] == CALL and facts[2] == 0]
    opened = [time for time, facts in recent if facts[0] == TICKET and facts[1] == 0]
    heard = [*answered, *called, *opened]
    return risen((at - max(heard)) / DAY, 14, 30) if heard else 0.0


def tenure(known: Known, at: int) -> float:
    started = [time for time, facts in known if facts[0] == ACCOUNT and facts[1] == 0 and time <= at]
    return risen((at - max(started)) / DAY, 30, 365) if started else 0.0
