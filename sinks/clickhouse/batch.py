"""Bounded inserts with a name that says exactly what is in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sinks.clickhouse.rows import Row
from sinks.clickhouse.tables import Table

MAX_BYTES = 16 * 2**20
"""An insert is cut before it grows beyond this, so that the server takes it as one block: whole or not at all."""


@dataclass(frozen=True)
class Batch:
    """Rows of one partition for one table that are inserted together."""

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

        The digest is there because offsets begin again when a topic is created anew, and a known
        token with other rows would be dropped without a word.
        """
        first, last = self.rows[0].record.offset, self.rows[-1].record.offset
        digest = blake2b(self.body, digest_size=8).hexdigest()
        return f"{self.table.topic.name}:{self.partition}:{first}-{last}:{digest}"

    def halves(self) -> tuple["Batch", "Batch"]:
        """The same rows as two batches; needs at least two rows."""
        middle = len(self.rows) // 2
        return (
            Batch(self.table, self.partition, self.rows[:middle]),
            Batch(self.table, self.partition, self.rows[middle:]),
        )


def cut(table: Table, partition: int, rows: Sequence[Row], most: int) -> Iterator[Batch]:
    """Cut rows into batches of at most `most` rows and about `MAX_BYTES`, always at the same places."""
    begin = size = 0
    for at, row in enumerate(rows):
        if at > begin and (at - begin >= most or size + len(row.line) > MAX_BYTES):
            yield Batch(table, partition, rows[begin:at])
            begin, size = at, 0
        size += len(row.line) + 1
    if begin < len(rows):
        yield Batch(table, partition, rows[begin:])
