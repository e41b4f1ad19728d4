"""An export imported into a sandbox, replayed and stored: what `cxstream try` runs."""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from streams.importing.mapping import Mapping
from streams.importing.progress import progress_on
from streams.importing.run import run_import
from streams.importing.summary import ImportSummary
from streams.local.folders import new_folder
from streams.local.sandbox import Sandbox
from streams.replaying.results import Result
from streams.replaying.run import run_replay
from streams.runtime.replay_extent import extent_of
from streams.settings import Settings


@contextmanager
def trial_folder(keep: Path | None) -> Iterator[Path]:
    """The new folder `keep`, or a temporary one that is removed. Raises `ConfigError`."""
    if keep is not None:
        yield new_folder(keep)
        return
    with TemporaryDirectory(prefix="cxstream-try-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


async def score_export(sandbox: Sandbox, mapping: Mapping, files: Sequence[Path]) -> list[Result] | None:
    """Import the files, replay them and wait until the database has the results; None when no row became an event.

    The accounts of the import and of the replay go to stderr. Raises `CxError`.
    """
    storing = asyncio.create_task(sandbox.start_storing())
    try:
        summary = await _import(sandbox.settings, mapping, files)
        if not summary.sent:
            return None
        results = await run_replay(sandbox.settings, await extent_of(sandbox.settings))
        await storing
    finally:
        storing.cancel()
    await sandbox.wait_until_stored()
    if summary.invented_customers:
        click.echo("note: the customers are invented; churn risk shows how it works, not who leaves", err=True)
    return results


async def _import(settings: Settings, mapping: Mapping, files: Sequence[Path]) -> ImportSummary:
    progress = progress_on(sys.stderr, time.monotonic)
    try:
        summary = await run_import(mapping, files, settings, progress)
    finally:
        progress.close()
    click.echo(summary.text(mapping.name), err=True)
    return summary
