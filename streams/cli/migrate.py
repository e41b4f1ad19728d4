"""`cxstream migrate`: bring the tables of the sinks up to date."""

import click

from sinks.errors import SinkError
from streams.cli.options import settings_option
from streams.errors import StoreError
from streams.settings import Settings
from streams.settings.configured_sinks import ConfiguredSink, configured_sinks


@click.command("migrate")
@settings_option
def command(settings: Settings) -> None:
    r"""Apply the numbered migrations that a sink's store lacks, and create a database that is missing.

    Works on clickhouse.url, a ClickHouse server (http, https) or a chDB folder, and on the sinks of sinks.urls
    that have migrations. It can be run again and interrupted without harm.

    \b
    Examples:
      cxstream migrate
      CXSTREAM_CLICKHOUSE_URL=chdb:///var/lib/cxstream cxstream migrate
    """
    for configured in configured_sinks(settings):
        _migrate(configured)


def _migrate(configured: ConfiguredSink) -> None:
    try:
        applied = configured.sink.migrate(configured.url)
    except SinkError as error:
        raise StoreError(str(error)) from None
    for name in applied or ():
        click.echo(f"applied {name}")
    click.echo(f"{configured.address} {'needs no migrations' if applied is None else 'is up to date'}")
