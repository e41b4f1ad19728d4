"""`cxstream doctor`: examine everything the workers need, and name the fix for what is wrong."""

import click

from streams.cli.options import settings_option
from streams.errors import CxError
from streams.local.diagnosis import EXAMINATIONS
from streams.settings import Settings


@click.command("doctor")
@settings_option
@click.pass_context
def command(ctx: click.Context, settings: Settings) -> None:
    r"""Look at versions, broker, transactions, topics, sinks and ports.

    Each finding is one line: ok; warn, which works but deserves a look; or FAIL, with the fix. The exit
    code is 2 when there is a FAIL. The command changes nothing.

    \b
    Examples:
      cxstream doctor
      cxstream doctor --config production.toml
    """
    failed = False
    for examine in EXAMINATIONS:
        for finding in examine(settings):
            click.echo(f"{finding.level:5} {finding.subject:9} {finding.text}")
            failed = failed or finding.level == "FAIL"
    if failed:
        ctx.exit(CxError.exit_code)
