"""`cxstream try`: one's own export in, one's scores out, through everything that is real."""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from streams.cli.options import settings_option
from streams.errors import ConfigError
from streams.importing.mapping import Plan, bundled, load_mapping
from streams.importing.progress import progress_on
from streams.importing.run import run_import
from streams.importing.summary import ImportSummary
from streams.local.sandbox import Sandbox
from streams.replaying.options import Form, ReplayOptions, replay_options
from streams.replaying.results import Result
from streams.replaying.run import run_replay, show
from streams.runtime.replay import extent_of
from streams.settings import Settings

SHOWN = "30d"
"""The window of the table, unless others are asked for."""


@click.command("try", epilog=f"Mappings that come with cxstream: {', '.join(bundled())}. See docs/importing.md.")
@click.argument("mapping")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@replay_options
@click.option(
    "--keep", "folder", metavar="FOLDER", type=click.Path(path_type=Path), help="Keep the database in this new folder."
)
@settings_option
def command(
    mapping: str,
    files: tuple[Path, ...],
    windows: tuple[str, ...],
    cuts: tuple[str, ...],
    scores: tuple[str, ...],
    every: str,
    form: Form,
    folder: Path | None,
    settings: Settings,
) -> None:
    r"""Compute the scores of an export, on this machine alone, and print them.

    MAPPING is the name of a mapping or the path of a TOML file that says which column becomes which
    field; FILE... are CSV, TSV or NDJSON, plain, .gz or .zip. The rows go through a broker, the
    agents and a database that are started for it and ended after it. Windows end where the data end
    and, with --every, at each multiple of it in between. The table shows the window of 30 days and
    every cut of the settings that the data have; ndjson has all windows. What was rejected, and why,
    is on stderr.

    \b
    Examples:
      cxstream try telco-nps answers.csv
      cxstream try ./zendesk.toml tickets.ndjson.gz --window 7d --cut team --format ndjson
    """
    wanted = ReplayOptions(windows, cuts, scores, every, form)
    plan = load_mapping(mapping)
    if form == "table" and not windows:
        wanted = ReplayOptions((SHOWN,), cuts, scores, every, form)
    with _folder(folder) as place, Sandbox(wanted.narrow(settings), place) as sandbox:
        results = asyncio.run(_tried(sandbox, plan, files))
    if results is None:
        click.echo("no scores: not one row became an event; see above", err=True)
        return
    show(results, wanted)
    _explain(wanted, folder, bool(windows))


async def _tried(sandbox: Sandbox, plan: Plan, files: Sequence[Path]) -> list[Result] | None:
    storing = asyncio.create_task(sandbox.store())
    try:
        summary = await _imported(sandbox.settings, plan, files)
        if not summary.sent:
            return None
        results = await run_replay(sandbox.settings, await extent_of(sandbox.settings))
        await storing
    finally:
        storing.cancel()
    await sandbox.stored()
    if summary.invented:
        click.echo("note: the customers are invented; churn risk shows how it works, not who leaves", err=True)
    return results


async def _imported(settings: Settings, plan: Plan, files: Sequence[Path]) -> ImportSummary:
    progress = progress_on(sys.stderr, time.monotonic)
    try:
        summary = await run_import(plan, files, settings, progress)
    finally:
        progress.close()
    click.echo(summary.text(plan.name), err=True)
    return summary


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is None:
        with TemporaryDirectory(prefix="cxstream-try-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
        return
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        empty = not any(wanted.iterdir())
    except OSError as error:
        raise ConfigError(f"--keep {wanted}: {error.strerror or error}; name a folder that can be made") from None
    if not empty:
        raise ConfigError(f"--keep {wanted}: there is something in it; name a new folder")
    yield wanted.resolve()


def _explain(wanted: ReplayOptions, folder: Path | None, chosen: bool) -> None:
    if wanted.form == "table" and not chosen:
        click.echo(f"windows of {SHOWN}; others with --window, all with --format ndjson", err=True)
    if folder is not None:
        click.echo(f"kept: clickhouse.url = chdb://{(folder / 'clickhouse').resolve()}", err=True)
