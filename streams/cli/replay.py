"""`cxstream replay`: windows in event time over what the source topics hold, beside the live stream."""

import asyncio
import secrets

import click

from streams.cli.options import replay_options, settings_option
from streams.replaying.options import OutputFormat, ReplayOptions
from streams.replaying.own_topics import derived_topics, replay_settings
from streams.replaying.results import of_scores
from streams.replaying.run import print_results, replay_source_topics
from streams.settings import Settings


@click.command("replay")
@replay_options
@click.option("--name", default="", help="Name of the replay, in its topics and its group.  [default: a random one]")
@click.option("--keep", is_flag=True, help="Leave the topics of the replay on the broker.")
@settings_option
def command(
    windows: tuple[str, ...],
    cuts: tuple[str, ...],
    scores: tuple[str, ...],
    every: str,
    output_format: OutputFormat,
    name: str,
    keep: bool,
    settings: Settings,
) -> None:
    r"""Compute windows in event time over what the source topics hold now, and print them.

    It runs the agents of `cxstream worker` with a group, a state and derived topics of its own (prefix
    `replay-NAME.`), so that a live stream is not touched. Windows end where the data end and, with
    --every, at each multiple of it in between; all results are final. ClickHouse is not written to.

    \b
    Examples:
      cxstream replay --window 30d --cut touchpoint
      cxstream replay --every 24h --score nps --format ndjson > nps.ndjson
    """
    options = ReplayOptions(windows, cuts, scores, every, output_format)
    own = replay_settings(options.narrow(settings), name or secrets.token_hex(4))
    results = asyncio.run(replay_source_topics(own, keep))
    if results is None:
        click.echo("the source topics hold no records; send some with `cxstream import`", err=True)
        return
    print_results(of_scores(results, scores), output_format)
    if keep:
        click.echo(f"kept: {', '.join(derived_topics(own))}", err=True)
