"""`cxstream worker`: the two apps, each in a process of its own, or one of them in this one."""

import logging
import signal
import sys
import time
from typing import Literal

import click
import faust

from sinks import ping
from sinks.errors import SinkError
from streams.cli.options import settings_option
from streams.errors import CxError, StoreError
from streams.local.supervision import Child, end_all
from streams.runtime import logs, topics
from streams.runtime.fatal import PunctualWorker, end_worker
from streams.settings import Settings

Part = Literal["streams", "sinks"]
PARTS: tuple[Part, ...] = ("streams", "sinks")
_POLL_SECONDS = 0.1


@click.command("worker")
@click.option("--only", type=click.Choice(PARTS), help="Run one part in this process.  [default: both, supervised]")
@click.option("--create-topics", is_flag=True, help="Create the topics that are missing first.")
@click.option("--debug", is_flag=True, help="Also log what Faust and the Kafka client say.")
@settings_option
def command(settings: Settings, only: Part | None, create_topics: bool, debug: bool) -> None:
    """Read events, compute windows, publish and store them, until stopped.

    `streams` counts and publishes, `sinks` stores in ClickHouse; each is a consumer group of its own
    and can be run as often as there are partitions (one only on a broker without transactions).
    Stop it with Ctrl-C or SIGTERM; what was not checkpointed is simply read again. A database that goes away
    while it runs is waited for; to start without one, run `--only streams`.

    Example:  cxstream worker --only streams
    """
    if create_topics:
        topics.create_topics(settings)
    topics.verify_topics(settings)  # here too before there are two, so that what is wrong is said once
    if only != "streams":
        _verify_database(settings.clickhouse.url)
    if only is None:
        sys.exit(_supervise(sys.argv[2:] if sys.argv[1:2] == ["worker"] else []))
    run(_part(settings, only), settings, debug)


def run(app: faust.App, settings: Settings, debug: bool = False) -> None:
    """Run an app in this process until it is stopped; ends by `SystemExit`."""
    logs.configure(settings.app.log, debug)
    _Worker(app).execute_from_commandline()


def _verify_database(url: str) -> None:
    try:
        ping.require(url)
    except SinkError as error:
        raise StoreError(str(error)) from None


class _Worker(PunctualWorker):
    """Faust's worker, which leaves logging and the terminal as they are."""

    def __init__(self, app: faust.App) -> None:
        super().__init__(app, loglevel=logging.INFO, quiet=True, redirect_stdouts=False)
        self.spinner = None  # it writes escape sequences, also into files

    async def start(self) -> None:
        """Start; what is wrong with the settings is a line and its exit code, not a traceback."""
        try:
            await super().start()
        except CxError as error:
            end_worker(error)

    def _setup_logging(self) -> None:
        """Configured already."""


def _part(settings: Settings, only: Part) -> faust.App:
    from streams import app  # building an app needs the settings to be right

    return app.streams(settings).app if only == "streams" else app.sinks(settings).app


def _supervise(arguments: list[str]) -> int:
    """Run both parts; when one ends, end the other and return the first one's exit code."""
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, frame: stopping.append(received))
    children = [Child(part, ["worker", "--only", part, *arguments]) for part in PARTS]
    while not stopping and all(child.exit_code is None for child in children):
        time.sleep(_POLL_SECONDS)
    ended = next((child.exit_code for child in children if child.exit_code is not None), 0)
    end_all(children)
    return 0 if stopping else ended
