"""`cxstream check`: validate the settings and the mappings, and print the settings in effect."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import click

from streams.cli.options import settings_option
from streams.errors import ConfigError, CxError
from streams.importing.mapping_files import bundled_mappings, load_mapping
from streams.runtime.churn_model_watch import load_churn_model
from streams.runtime.connection import aiokafka_options
from streams.settings import Settings
from streams.settings.configured_sinks import configured_sinks
from streams.settings.rendering import to_toml

T = TypeVar("T")


@click.command("check")
@click.option("--mapping", "mappings", multiple=True, metavar="FILE", help="Check this importer mapping too.")
@settings_option
def command(mappings: tuple[str, ...], settings: Settings) -> None:
    r"""Check the settings and the importer mappings without any connection, and print the settings in effect.

    The output is a complete cxstream.toml: file, environment and defaults together, passwords hidden.
    Every problem is one line on stderr that names the key and the fix, and the exit code is 2.

    \b
    Examples:
      cxstream check
      cxstream check --config staging.toml --mapping exports/zendesk.toml
    """
    problems = list(_problems(settings, mappings))
    if problems:
        raise ConfigError("\n".join(problems))
    click.echo(to_toml(settings), nl=False)
    checked = [*bundled_mappings(), *mappings]
    click.echo(f"cxstream: settings and {len(checked)} mappings are valid ({', '.join(checked)})", err=True)


def _problems(settings: Settings, mappings: tuple[str, ...]) -> Iterator[str]:
    yield from _problem_of(aiokafka_options, settings)
    yield from _problem_of(configured_sinks, settings)
    yield from _problem_of(load_churn_model, settings)
    for name in [*bundled_mappings(), *mappings]:
        yield from _problem_of(load_mapping, name)


def _problem_of(check: Callable[[T], object], subject: T) -> Iterator[str]:
    try:
        check(subject)
    except CxError as error:
        yield str(error)
