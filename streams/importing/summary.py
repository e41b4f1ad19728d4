"""The account of an import: what became of every row, and why."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from streams.importing.convert import Converter, Dropped, Ready, Refused
from streams.importing.files import BadRow, Row, Table
from streams.importing.mapping import Plan
from streams.importing.sort import Entry, Spool

EXAMPLES = 3
"""How many rows are shown for each reason."""

_PULSE = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class ImportSummary:
    """What became of every row: `rows` = `ready` + all `rejected` + all `dropped`.

    `sent` is what the broker has: `ready`, or 0 where nothing was to be sent. `examples` has the
    first few `file:line: detail` of each reason for a rejection. The times are those of the first
    and last event in UTC, None without one. `unseen` are columns of the mapping that no object had;
    `invented` is the number of customers that do not exist, 0 where they are the source's own.
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
    unseen: list[str] = field(default_factory=list)
    invented: int = 0
    seconds: float = 0.0

    def text(self, mapping: str) -> str:
        """The summary as lines for a person."""
        rate = self.rows / self.seconds if self.seconds else 0.0
        lines = [
            f"{mapping} → {self.topic}: {self.rows:,} rows read, {self.sent:,} sent, "
            f"{sum(self.rejected.values()):,} rejected, {sum(self.dropped.values()):,} dropped, "
            f"in {self.seconds:.1f} s ({rate:,.0f} rows/s)"
        ]
        if self.first_time and self.last_time:
            lines.append(f"  event time {self.first_time:%Y-%m-%d %H:%M:%S} to {self.last_time:%Y-%m-%d %H:%M:%S} UTC")
        lines += [f"  dropped {count:,}: {reason}" for reason, count in sorted(self.dropped.items())]
        for reason, count in sorted(self.rejected.items()):
            lines += [f"  rejected {count:,}: {reason}", *(f"    {example}" for example in self.examples[reason])]
        if self.unseen:
            lines.append(f"  in no row: {', '.join(self.unseen)}; check these names in the mapping")
        if self.invented:
            lines.append(f"  the source has no customers: its rows were assigned to {self.invented:,} invented ones")
        return "\n".join(lines)


class SummaryBuilder:
    """Converts rows into the spool and keeps the summary."""

    def __init__(self, plan: Plan, spool: Spool) -> None:
        self._plan, self._spool = plan, spool
        self._first: int | None = None
        self._last: int | None = None
        self._unseen: set[str] | None = None
        self._summary = ImportSummary(plan.topic, invented=plan.customers.invent if plan.customers else 0)

    @property
    def rows(self) -> int:
        """How many rows have been read."""
        return self._summary.rows

    def take(self, table: Table) -> Iterator[None]:
        """Convert one table; pauses now and then so that the caller can report and breathe."""
        converter = Converter(self._plan, table)
        for row in table.rows:
            self._row(converter, table.name, row)
            if self.rows % _PULSE == 0:
                yield
        unseen = converter.columns.unseen
        self._unseen = set(unseen) if self._unseen is None else self._unseen & unseen

    def summary(self) -> ImportSummary:
        """The account of all tables taken."""
        self._summary.first_time, self._summary.last_time = _moment(self._first), _moment(self._last)
        self._summary.unseen = sorted(self._unseen or ()) if self.rows else []
        return self._summary

    def _row(self, converter: Converter, name: str, row: Row | BadRow) -> None:
        self._summary.rows += 1
        outcome = Refused(row.reason, row.detail) if isinstance(row, BadRow) else converter.convert(row)
        match outcome:
            case Ready():
                self._ready(outcome)
            case Dropped(reason):
                self._summary.dropped[reason] = self._summary.dropped.get(reason, 0) + 1
            case Refused(reason, detail):
                self._summary.rejected[reason] = self._summary.rejected.get(reason, 0) + 1
                shown = self._summary.examples.setdefault(reason, [])
                if len(shown) < EXAMPLES:
                    shown.append(f"{name}:{row.line}: {detail}")

    def _ready(self, event: Ready) -> None:
        self._summary.ready += 1
        self._first = event.time_ms if self._first is None else min(self._first, event.time_ms)
        self._last = event.time_ms if self._last is None else max(self._last, event.time_ms)
        self._spool.add(Entry(event.time_ms, self._summary.ready, event.key, event.payload))


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else _EPOCH + timedelta(milliseconds=milliseconds)
