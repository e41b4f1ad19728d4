"""Which records of which topic become rows of which table."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from schemas.catalogue import PANES, REJECTS, RISK, SCORES, SOURCE_TOPICS, Topic
from schemas.pane import Pane, Watermark
from schemas.reject import Reject
from schemas.risk import Risk
from schemas.score import Score

SOURCE_COLUMNS = ("topic", "partition", "offset", "arrived_at")
"""The columns that a source event's row has besides its fields: its address and the broker's timestamp."""
DERIVED_COLUMNS = ("published_at",)
"""The column that a derived record's row has besides its fields: the broker's timestamp."""


@dataclass(frozen=True)
class Table:
    """A table, the topic it is filled from and the record that is a row; a migration creates it."""

    name: str
    topic: Topic
    record: type[msgspec.Struct]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are inserted; the table fills `inserted_at` itself."""
        added = SOURCE_COLUMNS if self.topic.role == "source" else DERIVED_COLUMNS
        return (*added, *self.record.__struct_fields__)


def source_tables(topics: Sequence[Topic]) -> tuple[Table, ...]:
    """One table for each source topic, named after it: `cx.tickets.v1` fills `tickets`."""
    return tuple(Table(topic.examples, topic, topic.record) for topic in topics)


TABLES = (
    *source_tables(SOURCE_TOPICS),
    Table("panes", PANES, Pane),
    Table("watermarks", PANES, Watermark),
    Table("scores", SCORES, Score),
    Table("risk", RISK, Risk),
    Table("rejects", REJECTS, Reject),
)
"""Every table that is filled from a topic."""
STORED_TOPICS = tuple(dict.fromkeys(table.topic.name for table in TABLES))
"""Names of the topics that have a table, without a prefix."""
