"""Which records of which topic become rows of which table."""

from dataclasses import dataclass

import msgspec

from schemas.account import Account
from schemas.call import Call
from schemas.catalogue import ACCOUNTS, CALLS, PANES, REJECTS, RISK, SCORES, SURVEYS, TICKETS, Topic
from schemas.pane import Pane, Watermark
from schemas.reject import Reject
from schemas.risk import Risk
from schemas.score import Score
from schemas.survey import Survey
from schemas.ticket import Ticket

SOURCE_COLUMNS = ("topic", "partition", "offset", "arrived_at")
"""What a source event's row adds to its fields: its address, and the broker's timestamp."""
DERIVED_COLUMNS = ("published_at",)
"""What a derived record's row adds: the broker's timestamp."""


@dataclass(frozen=True)
class Table:
    """A table, the topic it comes from and the record a row is; created by a migration."""

    name: str
    topic: Topic
    record: type[msgspec.Struct]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns we insert; the table adds `inserted_at` by itself."""
        added = SOURCE_COLUMNS if self.topic.role == "source" else DERIVED_COLUMNS
        return (*added, *self.record.__struct_fields__)


TABLES = (
    Table("tickets", TICKETS, Ticket),
    Table("calls", CALLS, Call),
    Table("surveys", SURVEYS, Survey),
    Table("accounts", ACCOUNTS, Account),
    Table("panes", PANES, Pane),
    Table("watermarks", PANES, Watermark),
    Table("scores", SCORES, Score),
    Table("risk", RISK, Risk),
    Table("rejects", REJECTS, Reject),
)
"""Every table that rows of topics go to."""
STORED_TOPICS = tuple(dict.fromkeys(table.topic.name for table in TABLES))
"""Names of the topics a sink reads, without a prefix."""
