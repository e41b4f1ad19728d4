"""The list of scores; a new score is a file in this package and a line in `SCORES`."""

from streams.core.scores.abandonment import Abandonment
from streams.core.scores.autonomy import Autonomy
from streams.core.scores.backlog import Backlog
from streams.core.scores.band_changes import BandChanges
from streams.core.scores.base import Accumulator, Result, Score, Slots, StockScore, Unit
from streams.core.scores.ces1 import Ces1
from streams.core.scores.ces2 import Ces2
from streams.core.scores.ces2_easy import Ces2Easy
from streams.core.scores.churn_rate import ChurnRate
from streams.core.scores.churn_risk import ChurnRisk
from streams.core.scores.churn_risk_high import ChurnRiskHigh
from streams.core.scores.compared import ComparedScore
from streams.core.scores.csat import Csat
from streams.core.scores.escalated import Escalated
from streams.core.scores.first_reply_time import FirstReplyTime
from streams.core.scores.first_resolution_time import FirstResolutionTime
from streams.core.scores.friction import Friction
from streams.core.scores.friction_ces2 import FrictionCes2
from streams.core.scores.full_resolution_time import FullResolutionTime
from streams.core.scores.handle_time import HandleTime
from streams.core.scores.nps import Nps
from streams.core.scores.offered import Offered
from streams.core.scores.reopened import Reopened
from streams.core.scores.repeat_contact import RepeatContact
from streams.core.scores.response_rate import ResponseRate
from streams.core.scores.revenue_at_risk import RevenueAtRisk
from streams.core.scores.service_level import ServiceLevel
from streams.core.scores.short_calls import ShortCalls
from streams.core.scores.speed_guard import SpeedGuard
from streams.core.scores.speed_of_answer import SpeedOfAnswer
from streams.core.scores.transfers import Transfers

__all__ = ["SCORES", "Accumulator", "ComparedScore", "Result", "Score", "Slots", "StockScore", "Unit"]

SCORES: tuple[Score, ...] = (
    Nps("nps", 1, "transactional"),
    Nps("nps_relationship", 2, "relationship"),
    Ces2(),
    Ces2Easy(),
    Ces1(),
    Csat(),
    ResponseRate(),
    ChurnRisk(),
    ChurnRiskHigh(),
    Offered(),
    Abandonment(),
    SpeedOfAnswer(),
    ServiceLevel(),
    HandleTime(),
    Transfers(),
    ShortCalls(),
    FirstReplyTime("first_reply_time", 17),
    FirstResolutionTime("first_resolution_time", 18),
    FullResolutionTime("full_resolution_time", 19),
    Reopened(),
    Escalated(),
    Backlog(),
    Autonomy(),
    RepeatContact(),
    FirstReplyTime("first_reply_time_business", 25, business=True),
    FirstResolutionTime("first_resolution_time_business", 26, business=True),
    FullResolutionTime("full_resolution_time_business", 27, business=True),
    BandChanges("newly_at_risk", 50, 1),
    BandChanges("recovered", 51, 0),
    RevenueAtRisk(),
    ChurnRate(),
    Friction(),
    FrictionCes2(),
    SpeedGuard(),
)
"""All scores. Every record is offered to each of them that counts records of its source."""
