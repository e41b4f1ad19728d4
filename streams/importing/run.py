"""One import from files to topic: read, convert, sort by time, send; and an account of every row."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from streams.errors import ConfigError
from streams.importing.files import tables
from streams.importing.mapping import Plan
from streams.importing.progress import Progress
from streams.importing.send import send
from streams.importing.sort import Spool
from streams.importing.summary import ImportSummary, SummaryBuilder
from streams.settings import Settings


async def run_import(
    plan: Plan, files: Sequence[Path], settings: Settings, progress: Progress, *, strict: bool = False
) -> ImportSummary:
    """Import files by a mapping; nothing is sent before every row has been read.

    With `strict`, nothing is sent at all when a row was rejected. Raises `MappingError` for a column
    a file lacks, `ConfigError` for a file that cannot be read, `BrokerError` when sending fails.
    """
    began = time.monotonic()
    with TemporaryDirectory(prefix="cxstream-import-") as folder:
        spool = Spool(Path(folder))
        try:
            summary = await read(plan, files, spool, progress)
        except OSError as error:
            raise ConfigError(
                f"{folder}: {error.strerror or error}; make room there, or name another folder in TMPDIR"
            ) from None
        if summary.ready and not (strict and summary.rejected):
            summary.sent = await _send(spool, settings.topic(plan.topic), settings, progress)
    summary.seconds = time.monotonic() - began
    return summary


async def read(plan: Plan, files: Sequence[Path], spool: Spool, progress: Progress) -> ImportSummary:
    """Read and convert all files into the spool, without sending; the account of it."""
    builder, began = SummaryBuilder(plan, spool), time.monotonic()
    for number, path in enumerate(files):
        for table in tables(path, plan):
            for _ in builder.take(table):
                progress.step(
                    "reading", builder.rows, (number + table.share()) / len(files), _rate(builder.rows, began)
                )
                await asyncio.sleep(0)
    return builder.summary()


async def _send(spool: Spool, topic: str, settings: Settings, progress: Progress) -> int:
    began = time.monotonic()

    def sent(count: int) -> None:
        progress.step("sending", count, count / len(spool), _rate(count, began))

    return await send(spool.merged(), topic, settings, sent)


def _rate(count: int, began: float) -> float:
    return count / max(time.monotonic() - began, 1e-6)
