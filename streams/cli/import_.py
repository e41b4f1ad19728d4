"""`cxstream import`: send an export to a source topic, by a mapping file."""

import asyncio
import sys
import time
from pathlib import Path

import click

from streams.cli.options import settings_option
from streams.importing.mapping_files import bundled_mappings, load_mapping
from streams.importing.progress import progress_on
from streams.importing.run import run_import
from streams.settings import Settings


@click.command(
    "import", epilog=f"Mappings that come with cxstream: {', '.join(bundled_mappings())}. See docs/importing.md."
)
@click.argument("mapping_name", metavar="MAPPING")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="If a row is rejected, send nothing and end with exit code 1.")
@settings_option
def command(mapping_name: str, files: tuple[Path, ...], strict: bool, settings: Settings) -> None:
    r"""Send the rows of FILE... to a source topic, in the order of their time.

    MAPPING is the name of a bundled mapping, or the path of a TOML file that maps columns to fields.
    Files are CSV, TSV or NDJSON, plain, .gz or .zip. Importing a file twice changes no number. A
    summary on stderr counts all rows and gives the reason for every rejection.

    \b
    Examples:
      cxstream import telco-nps answers.csv
      cxstream import ./zendesk.toml tickets-2024.ndjson.gz tickets-2025.ndjson.gz
    """
    mapping, progress = load_mapping(mapping_name), progress_on(sys.stderr, time.monotonic)
    try:
        summary = asyncio.run(run_import(mapping, files, settings, progress, strict=strict))
    finally:
        progress.close()
    click.echo(summary.text(mapping.name), err=True)
    if strict and summary.rejected:
        click.echo("nothing was sent, because of --strict", err=True)
        raise click.exceptions.Exit(1)
