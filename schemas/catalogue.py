"""The explicit list of topics: what is in each, how it is keyed, how long it is kept."""

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
DAY = 86_400


@dataclass(frozen=True)
class Topic:
    """One topic of the catalogue.

    `record` is the struct (or union) of its values; `key` says what its message keys are;
    `retention` is in seconds, or None for a compacted topic, which keeps the latest of each key.
    `dead_letters` names the topic its refused records go to. The number of partitions is the same for
    all, `kafka.partitions`, since a partition is owned through both stages.
    """

    name: str
    version: int
    role: Role
    record: Any
    key: str
    doc: str
    retention: int | None = None
    dead_letters: str | None = None

    @property
    def compacted(self) -> bool:
        """Whether the broker keeps the latest record of each key instead of a span of time."""
        return self.retention is None

    @property
    def examples(self) -> str:
        """Folder of its example files, below `schemas/examples`."""
        return self.name.removeprefix("cx.").removesuffix(f".v{self.version}")


REJECTS = Topic(
    "cx.rejects.v1",
    1,
    "derived",
    Reject,
    "topic|partition|offset of the refused record",
    "Dead letters with reason and address",
    30 * DAY,
)
TICKETS = Topic("cx.tickets.v1", 1, "source", Ticket, "customer", "Ticket changes", 40 * DAY, REJECTS.name)
CALLS = Topic("cx.calls.v1", 1, "source", Call, "customer", "Call records", 40 * DAY, REJECTS.name)
SURVEYS = Topic(
    "cx.surveys.v1", 1, "source", Survey, "customer", "Survey invitations and answers", 40 * DAY, REJECTS.name
)
ACCOUNTS = Topic("cx.accounts.v1", 1, "source", Account, "customer", "Account changes", 400 * DAY, REJECTS.name)
REKEYED = Topic(
    "cx.rekeyed.v1",
    1,
    "internal",
    bytes,
    "customer",
    "Events that came under another key than their customer's, on their way to the right partition",
    7 * DAY,
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

EVENTS = (TICKETS, CALLS, SURVEYS, ACCOUNTS)
"""The source topics; all have one partition count."""
TOPICS = (*EVENTS, REKEYED, CHANGELOG, PANES, SCORES, RISK, REJECTS)
"""Every topic cxstream reads or writes."""


def topic(name: str) -> Topic:
    """The topic called `name`; raises `KeyError` for a name that is not in the catalogue."""
    return {t.name: t for t in TOPICS}[name]
