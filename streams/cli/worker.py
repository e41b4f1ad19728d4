"""`cxstream worker`: the streams and each sink, every part in a process of its own, or one part in this process."""

import sys

import click
import faust

from sinks.errors import SinkError
from sinks.registry import SINKS
from streams.cli.options import settings_option
from streams.errors import ConfigError, StoreError
from streams.local.supervision import supervise
from streams.runtime import topics
from streams.runtime.worker_process import run_worker
from streams.settings import Settings
from streams.settings.configured_sinks import configured_sink, configured_sinks

STREAMS, ALL_SINKS = "streams", "sinks"
PARTS = (STREAMS, ALL_SINKS, *(sink.name for sink in SINKS))


@click.command("worker")
@click.option("--only", type=click.Choice(PARTS), help="Run this part only; `sinks` is every sink.  [default: all]")
@click.option("--create-topics", is_flag=True, help="Create the topics that are missing first.")
@click.option("--debug", is_flag=True, help="Also log what Faust and the Kafka client report.")
@settings_option
def command(settings: Settings, only: str | None, create_topics: bool, debug: bool) -> None:
    """Read events, compute windows, publish and store them, until stopped.

    `streams` computes and publishes, `sinks` stores in ClickHouse and in the sinks of sinks.urls. Each part is
    a process and a consumer group of its own; it can run as often as there are partitions, or once on a broker
    without transactions. A single part runs in this process, several are supervised: when one ends, all end.
    Stop it with Ctrl-C or SIGTERM; the next worker reads again what was not checkpointed. A sink's store must
    answer at the start and may be away later; to start without one, run `--only streams`.

    Example:  cxstream worker --only streams
    """
    if create_topics:
        topics.create_topics(settings)
    topics.verify_topics(settings)  # before several processes start, so that an error is a single line
    parts = _parts(settings, only)
    for part in parts:
        _require_store(settings, part)
    if len(parts) > 1:
        options = sys.argv[2:] if sys.argv[1:2] == ["worker"] else []
        # the last `--only` counts, and the options may contain `--only sinks`
        sys.exit(supervise({part: ["worker", *options, "--only", part] for part in parts}))
    run_worker(_app(settings, parts[0]), settings, debug)


def _parts(settings: Settings, only: str | None) -> list[str]:
    """`streams` and the names of the sinks to run."""
    if only not in (None, ALL_SINKS):
        return [only]
    names = [sink.name for sink in configured_sinks(settings)]
    if only is None:
        return [STREAMS, *names]
    if not names:
        raise ConfigError("no sink is configured; set clickhouse.url or sinks.urls")
    return names


def _require_store(settings: Settings, part: str) -> None:
    if part == STREAMS:
        return
    configured = configured_sink(settings, part)
    try:
        configured.sink.require(configured.url)
    except SinkError as error:
        raise StoreError(str(error)) from None


def _app(settings: Settings, part: str) -> faust.App:
    from streams import app  # building an app needs the settings to be right

    return app.streams(settings).app if part == STREAMS else app.sink(settings, configured_sink(settings, part)).app
