"""`cxstream replay`: windows in event time over what the source topics hold, beside the live stream."""

import asyncio
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click
import kafka.errors
import msgspec
from kafka.admin import ConfigResource

from schemas.catalogue import EVENTS, SCORES, TOPICS
from streams.cli.options import settings_option
from streams.errors import BrokerError, ConfigError
from streams.replaying.options import Form, ReplayOptions, replay_options
from streams.replaying.results import Result
from streams.replaying.run import run_replay, show
from streams.runtime.replay import extent_of
from streams.runtime.topics import admin, create_topics, verify_topics
from streams.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,40}")
_NEVER_COMPACTED = {"min.compaction.lag.ms": str(30 * 86_400_000)}


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
    form: Form,
    name: str,
    keep: bool,
    settings: Settings,
) -> None:
    r"""Compute windows in event time over what the source topics hold now, and print them.

    The same agents as in `cxstream worker`, with a group, a state and derived topics of their own
    (prefix `replay-NAME.`), so that a live stream is not touched. Windows end where the data end
    and, with --every, at each multiple of it in between; all results are final. Nothing is
    written to ClickHouse.

    \b
    Examples:
      cxstream replay --window 30d --cut touchpoint
      cxstream replay --every 24h --score nps --format ndjson > nps.ndjson
    """
    wanted = ReplayOptions(windows, cuts, scores, every, form)
    own = replay_settings(wanted.narrow(settings), name or secrets.token_hex(4))
    results = asyncio.run(_run(own, keep))
    if results is None:
        click.echo("the source topics hold no records; send some with `cxstream import`", err=True)
        return
    show(results, wanted)
    if keep:
        click.echo(f"kept: {', '.join(_derived(own))}", err=True)


def replay_settings(settings: Settings, name: str) -> Settings:
    """Settings of a replay beside the deployment these are of; raises `ConfigError` for a name no topic can have."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"--name: {name!r} cannot be part of a topic's name; use letters, digits, . _ and -")
    replace = msgspec.structs.replace
    return replace(
        settings,
        app=replace(settings.app, id=f"{settings.app.id}-replay-{name}", mode="replay"),
        kafka=replace(settings.kafka, prefix=f"{settings.kafka.prefix}replay-{name}."),
        metrics=replace(settings.metrics, streams_port=0),
    )


async def _run(settings: Settings, keep: bool) -> list[Result] | None:
    require_sources(settings)
    extent = await extent_of(settings)
    if not extent.records:
        return None
    with _own_topics(settings, keep):
        return await run_replay(settings, extent)


def require_sources(settings: Settings) -> None:
    """Raise `BrokerError` where a source topic is missing: a replay creates none."""
    with admin(settings) as client:
        there = client.list_topics()
    missing = [topic.name for topic in EVENTS if topic.name not in there]
    if missing:
        raise BrokerError(
            f"the broker at {settings.kafka.brokers} lacks {', '.join(missing)}: create with `cxstream topics`"
        )


@contextmanager
def _own_topics(settings: Settings, keep: bool) -> Iterator[None]:
    with admin(settings) as client:
        taken = set(_derived(settings)).intersection(client.list_topics())
    if taken:
        raise ConfigError(
            f"--name: a replay of this name was kept ({', '.join(sorted(taken))}); choose another name, "
            "or delete these topics"
        )
    try:
        create_topics(settings)
        verify_topics(settings)
        _keep_every_result(settings)
        yield
    finally:
        if not keep:
            forget(settings)


def forget(settings: Settings) -> None:
    """Delete the topics and the group of a replay."""
    with admin(settings) as client:
        client.delete_topics(_derived(settings), raise_errors=False)
        with suppress(kafka.errors.KafkaError):  # a group without members goes by itself, in time
            client.delete_groups([settings.group("streams")])


def _keep_every_result(settings: Settings) -> None:
    """The topic is compacted by cell and window, but a replay asks for all boundaries of one."""
    with admin(settings) as client, suppress(ValueError):  # a broker that knows no such setting compacts nothing
        client.alter_configs([ConfigResource("TOPIC", settings.topic(SCORES.name), _NEVER_COMPACTED)])


def _derived(settings: Settings) -> list[str]:
    return [settings.topic(topic.name) for topic in TOPICS if topic not in EVENTS]
