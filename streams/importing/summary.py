"""The summary of an import: the outcome of every row, and why."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from streams.core.time.instants import to_datetime
from streams.importing.convert import Dropped, Outcome, Ready, Rejected
from streams.importing.mapping import Mapping

EXAMPLES_PER_REASON = 3


@dataclass
class ImportSummary:
    """The outcome of every row: `rows` = `ready` + all `rejected` + all `dropped`.

    `sent` is the number of events that the broker has: `ready`, or 0 when the import was not to send.
    `examples` has the first `file:line: detail` of each reason for a rejection. The times are those of the
    first and the last event in UTC, None without events. `unseen_columns` are columns of the mapping
    that no object had. `invented_customers` is the number of customers that do not exist, 0 when the
    source has its own.
    """

    topic: str
    rows: int = 0
    ready: int = 0
    sent: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    first_time: datetime | None = None
    last_time: datetime | None = None
    unseen_columns: list[str] = field(default_factory=list)
    invented_customers: int = 0
    duration_s: float = 0.0

    def text(self, mapping_name: str) -> str:
        """The summary as lines for a person."""
        return "\n".join(self._lines(mapping_name))

    def _lines(self, mapping_name: str) -> Iterator[str]:
        rows_per_s = self.rows / self.duration_s if self.duration_s else 0.0
        yield (
            f"{mapping_name} → {self.topic}: {self.rows:,} rows read, {self.sent:,} sent, "
            f"{sum(self.rejected.values()):,} rejected, {sum(self.dropped.values()):,} dropped, "
            f"in {self.duration_s:.1f} s ({rows_per_s:,.0f} rows/s)"
        )
        if self.first_time and self.last_time:
            yield f"  event time {self.first_time:%Y-%m-%d %H:%M:%S} to {self.last_time:%Y-%m-%d %H:%M:%S} UTC"
        yield from (f"  dropped {count:,}: {reason}" for reason, count in sorted(self.dropped.items()))
        for reason, count in sorted(self.rejected.items()):
            yield f"  rejected {count:,}: {reason}"
            yield from (f"    {example}" for example in self.examples[reason])
        if self.unseen_columns:
            yield f"  columns that no row has: {', '.join(self.unseen_columns)}; check these names in the mapping"
        if self.invented_customers:
            yield f"  the source has no customers: its rows were assigned to {self.invented_customers:,} invented ones"


class SummaryBuilder:
    """Counts the outcomes of rows, table by table."""

    def __init__(self, mapping: Mapping) -> None:
        self._first_ms: int | None = None
        self._last_ms: int | None = None
        self._unseen: set[str] | None = None
        invented = mapping.customers.invent if mapping.customers else 0
        self._summary = ImportSummary(mapping.topic, invented_customers=invented)

    @property
    def rows(self) -> int:
        """How many rows have been counted."""
        return self._summary.rows

    @property
    def ready(self) -> int:
        """How many rows have become events."""
        return self._summary.ready

    def count(self, outcome: Outcome, table_name: str, line_number: int) -> None:
        """Count one row; the table and the line are quoted when it is rejected."""
        self._summary.rows += 1
        match outcome:
            case Ready():
                self._count_ready(outcome.time_ms)
            case Dropped(reason):
                self._summary.dropped[reason] = self._summary.dropped.get(reason, 0) + 1
            case Rejected(reason, detail):
                self._summary.rejected[reason] = self._summary.rejected.get(reason, 0) + 1
                examples = self._summary.examples.setdefault(reason, [])
                if len(examples) < EXAMPLES_PER_REASON:
                    examples.append(f"{table_name}:{line_number}: {detail}")

    def end_table(self, unseen: set[str]) -> None:
        """Note the columns that no row of one table had; only those unseen in every table are reported."""
        self._unseen = set(unseen) if self._unseen is None else self._unseen & unseen

    def summary(self) -> ImportSummary:
        """The summary of all rows counted."""
        summary = self._summary
        if self._first_ms is not None and self._last_ms is not None:
            summary.first_time, summary.last_time = to_datetime(self._first_ms), to_datetime(self._last_ms)
        summary.unseen_columns = sorted(self._unseen or ()) if self.rows else []
        return summary

    def _count_ready(self, time_ms: int) -> None:
        self._summary.ready += 1
        self._first_ms = time_ms if self._first_ms is None else min(self._first_ms, time_ms)
        self._last_ms = time_ms if self._last_ms is None else max(self._last_ms, time_ms)
