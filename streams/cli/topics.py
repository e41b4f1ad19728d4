"""`cxstream topics`: create, verify or list the topics of the catalogue."""

from typing import Literal

import click

from schemas.catalogue import DAY_S, TOPICS, Topic
from streams.cli.options import settings_option
from streams.runtime.topics import create_topics, verify_topics
from streams.settings import Settings


@click.command("topics")
@click.option(
    "--create", "action", flag_value="create", default="create", help="Create what is missing, then verify.  [default]"
)
@click.option("--verify", "action", flag_value="verify", help="Change nothing; fail where a topic is missing or wrong.")
@click.option("--list", "action", flag_value="list", help="Print the catalogue without asking the broker.")
@settings_option
def command(action: Literal["create", "verify", "list"], settings: Settings) -> None:
    r"""Create the topics, or name what is wrong with them.

    All topics get kafka.partitions partitions and kafka.replication replicas; the catalogue defines the
    retention of each, or that it is compacted. An existing topic is never altered. The command can be
    run again without harm.

    \b
    Examples:
      cxstream topics
      CXSTREAM_KAFKA_REPLICATION=3 cxstream topics --create
      cxstream topics --verify
    """
    if action == "list":
        for topic in TOPICS:
            click.echo(_line(settings.topic(topic.name), topic, settings.kafka.partitions))
        return
    outcomes = create_topics(settings) if action == "create" else []
    for name, outcome in outcomes:
        click.echo(f"{outcome:8} {name}")
    counts = verify_topics(settings)
    click.echo(f"{len(counts)} topics with {settings.kafka.partitions} partitions each at {settings.kafka.brokers}")


def _line(name: str, topic: Topic, partitions: int) -> str:
    kept = "compacted" if topic.retention_s is None else f"{topic.retention_s // DAY_S} d"
    more = f"; dead letters: {topic.dead_letters}" if topic.dead_letters else ""
    what = f"{name:28} v{topic.version} {topic.role:9} {partitions:3} partitions {kept:10}"
    return f"{what} {topic.doc}; key: {topic.key}{more}"
