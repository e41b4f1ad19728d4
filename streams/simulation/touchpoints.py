"""The touchpoints of the simulated company, with their teams, channels, questions and usual satisfaction."""

from dataclasses import dataclass
from typing import Literal

from schemas.envelope import Audience
from schemas.survey import Kind

Rhythm = Literal["always", "shop", "office"]
Shares = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Touchpoint:
    """One step of the customer journey, with its usual values.

    `weight` is its share of all contacts in per cent, `mood` the mean satisfaction in standard deviations (0 gives
    an NPS of about +5), `invited` the share of contacts that get a survey, `response` the share of the invited
    who answer, `refund` the share of tickets that end in money back. `agents` is the size of its team.
    """

    name: str
    team: str
    queue: str
    weight: float
    rhythm: Rhythm
    mood: float
    channels: Shares
    questions: tuple[tuple[Kind, float], ...]
    invited: float
    response: float
    refund: float = 0.0
    agents: int = 8
    audience: Audience = "external"


CALL_CHANNELS = frozenset({"phone"})
"""Channels on which a contact is a call."""
TICKET_CHANNELS = frozenset({"email", "chat", "portal"})
"""Channels on which a contact is a ticket; a contact on any other channel is a visit with at most a survey."""

TOUCHPOINTS = (
    Touchpoint(
        "order", "sales", "sales", 13, "shop", 0.35,
        (("web", 0.55), ("app", 0.2), ("phone", 0.2), ("chat", 0.05)),
        (("nps", 0.5), ("ces2", 0.3), ("csat", 0.2)), 0.7, 0.31, agents=12,
    ),
    Touchpoint(
        "delivery", "logistics", "logistics", 12, "shop", 0.1,
        (("email", 0.35), ("phone", 0.3), ("sms", 0.3), ("chat", 0.05)),
        (("csat", 0.5), ("nps", 0.5)), 0.63, 0.39, refund=0.1, agents=10,
    ),
    Touchpoint(
        "onboarding", "welcome", "welcome", 7, "office", 0.55,
        (("phone", 0.4), ("email", 0.3), ("app", 0.3)),
        (("nps", 0.6), ("ces2", 0.4)), 0.84, 0.44, agents=6,
    ),
    Touchpoint(
        "first-payment", "payments", "billing", 6, "always", -0.25,
        (("web", 0.5), ("phone", 0.3), ("email", 0.2)),
        (("nps", 0.6), ("ces2", 0.4)), 0.56, 0.29, refund=0.08, agents=6,
    ),
    Touchpoint(
        "billing", "billing", "billing", 13, "office", -0.05,
        (("phone", 0.55), ("email", 0.2), ("chat", 0.15), ("web", 0.1)),
        (("nps", 0.5), ("csat", 0.35), ("ces2", 0.15)), 0.77, 0.34, refund=0.15, agents=14,
    ),
    Touchpoint(
        "support-chat", "care", "care", 11, "always", 0.15,
        (("chat", 0.9), ("phone", 0.1)),
        (("ces2", 0.45), ("csat", 0.35), ("nps", 0.2)), 0.84, 0.42, agents=16,
    ),
    Touchpoint(
        "store", "stores", "stores", 8, "shop", 0.6,
        (("store", 0.95), ("phone", 0.05)),
        (("nps", 0.5), ("csat", 0.3), ("ces1", 0.2)), 0.49, 0.26, agents=20,
    ),
    Touchpoint(
        "returns", "returns", "logistics", 6, "shop", -0.15,
        (("email", 0.5), ("phone", 0.3), ("web", 0.2)),
        (("ces2", 0.6), ("nps", 0.4)), 0.7, 0.34, refund=0.55, agents=6,
    ),
    Touchpoint(
        "app", "digital", "technical", 9, "always", 0.2,
        (("app", 0.75), ("chat", 0.15), ("phone", 0.1)),
        (("csat", 0.45), ("nps", 0.45), ("ces2", 0.1)), 0.56, 0.23, agents=7,
    ),
    Touchpoint(
        "network-outage", "network", "technical", 5, "always", -0.75,
        (("phone", 0.7), ("chat", 0.2), ("email", 0.1)),
        (("nps", 0.6), ("csat", 0.4)), 0.7, 0.39, refund=0.12, agents=10,
    ),
    Touchpoint(
        "cancellation", "retention", "retention", 4, "office", -0.9,
        (("phone", 0.75), ("email", 0.25)),
        (("nps", 0.7), ("ces2", 0.3)), 0.7, 0.21, agents=5,
    ),
    Touchpoint(
        "it-helpdesk", "it", "it", 6, "office", 0.0,
        (("portal", 0.6), ("email", 0.25), ("phone", 0.15)),
        (("csat", 0.6), ("ces1", 0.4)), 0.7, 0.5, agents=6, audience="internal",
    ),
)  # fmt: skip
"""All touchpoints; the last one is for the company's own employees."""

_DAY: dict[Rhythm, str] = {
    "always": "211112345677777666789965",
    "shop": "100001259999899999887631",
    "office": "000000159998788987310000",
}
_WEEK: dict[Rhythm, str] = {"always": "9888899", "shop": "7778898", "office": "9999900"}


def hourly(rhythm: Rhythm) -> list[float]:
    """Relative demand in each of the 168 hours of the week, Monday 00:00 UTC first; the mean is 1."""
    raw = [int(day) * int(hour) for day in _WEEK[rhythm] for hour in _DAY[rhythm]]
    mean = sum(raw) / len(raw)
    return [value / mean for value in raw]
