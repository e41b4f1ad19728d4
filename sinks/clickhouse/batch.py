"""Bounded inserts, each with a token that identifies its content."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sinks.clickhouse.rows import Row
from sinks.clickhouse.tables import Table

MAX_BYTES = 16 * 2**20
"""The size of one insert, at most. The server takes an insert of this size as one block: whole or not at all."""


@dataclass(frozen=True)
class Batch:
    """Rows of one partition that are inserted into one table together."""

    table: Table
    partition: int
    rows: Sequence[Row]

    @property
    def body(self) -> bytes:
        """The rows as newline-delimited JSON."""
        return b"\n".join([row.line for row in self.rows])

    @property
    def token(self) -> str:
        """`topic:partition:first-last:digest`.

        Offsets begin again when a topic is created anew. The digest tells such rows from the old ones;
        without it the server would silently drop them as already inserted.
        """
        first, last = self.rows[0].record.offset, self.rows[-1].record.offset
        digest = blake2b(self.body, digest_size=8).hexdigest()
        return f"{self.table.topic.name}:{self.partition}:{first}-{last}:{digest}"

    def halves(self) -> tuple["Batch", "Batch"]:
        """The same rows as two batches; there must be at least two rows."""
        middle = len(self.rows) // 2
        return (
            Batch(self.table, self.partition, self.rows[:middle]),
            Batch(self.table, self.partition, self.rows[middle:]),
        )


def cut(table: Table, partition: int, rows: Sequence[Row], most: int) -> Iterator[Batch]:
    """Cut rows into batches of at most `most` rows and about `MAX_BYTES`. The same rows give the same batches."""
    begin = size = 0
    for at, row in enumerate(rows):
        if at > begin and (at - begin >= most or size + len(row.line) > MAX_BYTES):
            yield Batch(table, partition, rows[begin:at])
            begin, size = at, 0
        size += len(row.line) + 1
    if begin < len(rows):
        yield Batch(table, partition, rows[begin:])
