"""The explicit list of topics: the records of each, their keys and their retention."""

from dataclasses import dataclass
from typing import Any, Literal

from schemas.account import Account
from schemas.call import Call
from schemas.pane import PaneRecord
from schemas.reject import Reject
from schemas.risk import Risk
from schemas.score import Score
from schemas.survey import Survey
from schemas.ticket import Ticket

Role = Literal["source", "internal", "derived"]
DAY_S = 86_400


@dataclass(frozen=True)
class Topic:
    """One topic of the catalogue.

    `record` is the struct (or union) of its values, `key` describes its message keys. `retention_s` is None for a
    compacted topic, which keeps the latest record of each key. `dead_letters` is the topic for its refused records.
    All topics have the same number of partitions, `kafka.partitions`, because a worker owns a partition of all of them.
    """

    name: str
    version: int
    role: Role
    record: Any
    key: str
    doc: str
    retention_s: int | None = None
    dead_letters: str | None = None

    @property
    def compacted(self) -> bool:
        """Whether the broker keeps the latest record of each key, instead of the records of some time."""
        return self.retention_s is None

    @property
    def examples(self) -> str:
        """Name of the folder of its example files, below `schemas/examples`."""
        return self.name.removeprefix("cx.").removesuffix(f".v{self.version}")


REJECTS = Topic(
    "cx.rejects.v1",
    1,
    "derived",
    Reject,
    "topic|partition|offset of the refused record",
    "Dead letters with reason and address",
    30 * DAY_S,
)
TICKETS = Topic("cx.tickets.v1", 1, "source", Ticket, "customer", "Ticket changes", 40 * DAY_S, REJECTS.name)
CALLS = Topic("cx.calls.v1", 1, "source", Call, "customer", "Call records", 40 * DAY_S, REJECTS.name)
SURVEYS = Topic(
    "cx.surveys.v1", 1, "source", Survey, "customer", "Survey invitations and answers", 40 * DAY_S, REJECTS.name
)
ACCOUNTS = Topic("cx.accounts.v1", 1, "source", Account, "customer", "Account changes", 400 * DAY_S, REJECTS.name)
REKEYED = Topic(
    "cx.rekeyed.v1",
    1,
    "internal",
    bytes,
    "customer",
    "Events with another key than their customer, on their way to the partition of the customer",
    7 * DAY_S,
)
CHANGELOG = Topic(
    "cx.intake-changelog.v1",
    1,
    "internal",
    bytes,
    "state key",
    "Checkpoints of stage 1: ledgers, partial panes, offsets",
)
PANES = Topic(
    "cx.panes.v1",
    1,
    "derived",
    PaneRecord,
    "cut|cell|resolution|start|topic|partition",
    "Cumulative partials from stage 1 to stage 2",
)
SCORES = Topic("cx.scores.v1", 1, "derived", Score, "score|cut|cell|window", "Window results")
RISK = Topic("cx.risk.v1", 1, "derived", Risk, "customer", "Churn risk of each customer")

SOURCE_TOPICS = (TICKETS, CALLS, SURVEYS, ACCOUNTS)
"""The source topics; all have one partition count."""
TOPICS = (*SOURCE_TOPICS, REKEYED, CHANGELOG, PANES, SCORES, RISK, REJECTS)
"""Every topic cxstream reads or writes."""


def topic(name: str) -> Topic:
    """The topic with this name; raises `KeyError` if it is not in the catalogue."""
    return {t.name: t for t in TOPICS}[name]
