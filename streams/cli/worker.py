"""`cxstream worker`: the two apps, each in a process of its own, or one of them in this one."""

import logging
import os
import signal
import subprocess
import sys
import time
from typing import Literal

import click
import faust

from streams.cli.options import settings_option
from streams.runtime import logs
from streams.runtime.topics import verify_topics
from streams.settings import Settings

Part = Literal["streams", "sinks"]
PARTS: tuple[Part, ...] = ("streams", "sinks")
_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 20.0


@click.command("worker")
@click.option("--only", type=click.Choice(PARTS), help="Run one part in this process.  [default: both, supervised]")
@click.option("--debug", is_flag=True, help="Also log what Faust and the Kafka client say.")
@settings_option
def command(settings: Settings, only: Part | None, debug: bool) -> None:
    """Read events, compute windows, publish and store them, until stopped.

    `streams` counts and publishes, `sinks` stores in ClickHouse; each is a consumer group of its own
    and can be run as often as there are partitions (one only on a broker without transactions).
    Stop it with Ctrl-C or SIGTERM; what was not checkpointed is simply read again.

    Example:  cxstream worker --only streams
    """
    if only is None:
        sys.exit(_supervise(sys.argv[2:] if sys.argv[1:2] == ["worker"] else []))
    verify_topics(settings)
    run(_part(settings, only), settings, debug)


def run(app: faust.App, settings: Settings, debug: bool = False) -> None:
    """Run an app in this process until it is stopped; ends by `SystemExit`."""
    logs.configure(settings.app.log, debug)
    _Worker(app, loglevel=logging.INFO, quiet=True, redirect_stdouts=False).execute_from_commandline()


class _Worker(faust.Worker):
    """Faust's worker, which leaves logging as it is."""

    def _setup_logging(self) -> None:
        """Configured already."""


def _part(settings: Settings, only: Part) -> faust.App:
    from streams import app  # building an app needs the settings to be right

    return app.streams(settings).app if only == "streams" else app.sinks(settings).app


def _supervise(arguments: list[str]) -> int:
    """Run both parts; when one ends, end the other and return the first one's exit code."""
    children = [_spawn(part, arguments) for part in PARTS]
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, frame: stopping.append(received))
    while not stopping and all(child.poll() is None for child in children):
        time.sleep(_POLL_SECONDS)
    ended = next((child.returncode for child in children if child.poll() is not None), 0)
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        _wait(child)
    return 0 if stopping else abs(ended)


def _spawn(part: Part, arguments: list[str]) -> "subprocess.Popen[bytes]":
    command_line = [sys.executable, "-m", "streams.cli.main", "worker", "--only", part, *arguments]
    return subprocess.Popen(command_line, env=os.environ, start_new_session=True)


def _wait(child: "subprocess.Popen[bytes]") -> None:
    try:
        child.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
