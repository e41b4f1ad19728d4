"""`cxstream migrate`: bring the tables in ClickHouse up to date."""

import click

from sinks.clickhouse.address import parse_url
from sinks.clickhouse.migrate import migrate
from sinks.errors import SinkError
from streams.cli.options import settings_option
from streams.errors import StoreError
from streams.settings import Settings


@click.command("migrate")
@settings_option
def command(settings: Settings) -> None:
    r"""Create the database where it is missing and apply the numbered migrations it lacks.

    Works on clickhouse.url, a ClickHouse server (http, https) or a chDB folder. Running it again is
    harmless, and so is interrupting it.

    \b
    Examples:
      cxstream migrate
      CXSTREAM_CLICKHOUSE_URL=chdb:///var/lib/cxstream cxstream migrate
    """
    try:
        applied, address = migrate(settings.clickhouse.url), parse_url(settings.clickhouse.url)
    except SinkError as error:
        raise StoreError(str(error)) from None
    for name in applied:
        click.echo(f"applied {name}")
    click.echo(f"{address} is up to date")
