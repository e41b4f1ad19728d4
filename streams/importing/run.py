"""One import from files to a topic: read, convert, sort by time, send, and summarise every row."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from streams.errors import ConfigError
from streams.importing.convert import Converter, Ready
from streams.importing.files import read_tables
from streams.importing.mapping import Mapping
from streams.importing.progress import Progress
from streams.importing.send import send
from streams.importing.sort import Spool, SpooledEvent
from streams.importing.summary import ImportSummary, SummaryBuilder
from streams.importing.tables import Table
from streams.settings import Settings

_ROWS_PER_REPORT = 1_000


async def run_import(
    mapping: Mapping, files: Sequence[Path], settings: Settings, progress: Progress, *, strict: bool = False
) -> ImportSummary:
    """Import files by a mapping; no event is sent before every row has been read.

    With `strict`, a rejected row means that no event is sent at all. Raises `MappingError` for a
    column that a file lacks, `ConfigError` for a file that cannot be read and for a full disk,
    `BrokerError` when sending fails.
    """
    began_s = time.monotonic()
    with TemporaryDirectory(prefix="cxstream-import-") as folder:
        spool = Spool(Path(folder))
        try:
            summary = await spool_events(mapping, files, spool, progress)
        except OSError as error:
            raise ConfigError(
                f"{folder}: {error.strerror or error}; free disk space there, or set TMPDIR to another folder"
            ) from None
        if summary.ready and not (strict and summary.rejected):
            summary.sent = await _send(spool, settings.topic(mapping.topic), settings, progress)
    summary.duration_s = time.monotonic() - began_s
    return summary


async def spool_events(mapping: Mapping, files: Sequence[Path], spool: Spool, progress: Progress) -> ImportSummary:
    """Convert all rows of the files into the spool, without sending them."""
    builder, began_s = SummaryBuilder(mapping), time.monotonic()
    for number, path in enumerate(files):
        for file_table in read_tables(path, mapping):
            for _ in _spool_table(file_table.table, mapping, spool, builder):
                fraction = (number + file_table.fraction_read()) / len(files)
                progress.step("reading", builder.rows, fraction, _rate(builder.rows, began_s))
                await asyncio.sleep(0)
    return builder.summary()


def _spool_table(table: Table, mapping: Mapping, spool: Spool, builder: SummaryBuilder) -> Iterator[None]:
    """Convert one table; yields every `_ROWS_PER_REPORT` rows, so that the caller can report and let others run."""
    converter = Converter(mapping, table.name, table.header)
    for row in table.rows:
        outcome = converter.convert(row)
        builder.count(outcome, table.name, row.line_number)
        if isinstance(outcome, Ready):
            spool.add(SpooledEvent(outcome.time_ms, builder.ready, outcome.key, outcome.payload))
        if builder.rows % _ROWS_PER_REPORT == 0:
            yield
    builder.end_table(converter.columns.unseen)


async def _send(spool: Spool, topic: str, settings: Settings, progress: Progress) -> int:
    began_s = time.monotonic()

    def report(sent: int) -> None:
        progress.step("sending", sent, sent / len(spool), _rate(sent, began_s))

    return await send(spool.merged(), topic, settings, report)


def _rate(count: int, began_s: float) -> float:
    return count / max(time.monotonic() - began_s, 1e-6)
